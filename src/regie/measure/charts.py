"""Vega-Lite specs: what to show, not how it looks (colours and type come from the page)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from regie.measure.queries import Day
from regie.measure.words import WORDS

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
Spec = dict[str, Any]


def followers(lines: Mapping[str, Sequence[Day]]) -> Spec:
    """Followers by day, one line per account (name -> days). Days without a number are left out of the line."""
    rows = [
        {"day": one.day.isoformat(), "value": one.value, "account": name}
        for name, days in lines.items()
        for one in days
        if one.value is not None
    ]
    spec: Spec = {
        "$schema": SCHEMA,
        "data": {"values": rows},
        "height": 220,
        "mark": {"type": "line", "point": len(rows) < 60, "tooltip": True},
        "encoding": {
            "x": {"field": "day", "type": "temporal", "title": None, "axis": {"format": "%d/%m", "labelOverlap": True}},
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": str(WORDS["followers"].label),
                "scale": {"zero": False},
                "axis": {"tickMinStep": 1},
            },
            "tooltip": [
                {"field": "account", "title": _("Account")},
                {"field": "day", "type": "temporal", "title": _("Day"), "format": "%d/%m/%Y"},
                {"field": "value", "type": "quantitative", "title": str(WORDS["followers"].label), "format": ","},
            ],
        },
    }
    if len(lines) > 1:
        spec["encoding"]["color"] = {
            "field": "account",
            "type": "nominal",
            "title": None,
        }
    return spec


def of_post(series: Mapping[str, Sequence[tuple[datetime, int | None]]]) -> Spec:
    """A post's numbers as they grew, one line per metric."""
    rows = [
        {"at": at.isoformat(), "value": value, "metric": str(WORDS[name].label)}
        for name, points in series.items()
        for at, value in points
        if value is not None
    ]
    return {
        "$schema": SCHEMA,
        "data": {"values": rows},
        "height": 220,
        "mark": {"type": "line", "point": len(rows) < 120, "interpolate": "step-after", "tooltip": True},
        "encoding": {
            "x": {
                "field": "at",
                "type": "temporal",
                "title": None,
                "axis": {"format": "%d/%m %H:%M", "labelOverlap": True},
            },
            "y": {"field": "value", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1}},
            "color": {"field": "metric", "type": "nominal", "title": None},
            "tooltip": [
                {"field": "metric", "title": _("Number")},
                {"field": "at", "type": "temporal", "title": _("Read at"), "format": "%d/%m/%Y %H:%M"},
                {"field": "value", "type": "quantitative", "title": _("Value"), "format": ","},
            ],
        },
    }


def summary_of_followers(days: Sequence[Day]) -> str:
    """What the line shows, in a sentence, for everybody."""
    told = [one.value for one in days if one.value is not None]
    if len(told) < 2:
        return ""
    first, last = told[0], told[-1]
    return _("From %(first)s to %(last)s followers between the first and the last day with a number.") % {
        "first": number_format(first, use_l10n=True, force_grouping=True),
        "last": number_format(last, use_l10n=True, force_grouping=True),
    }
