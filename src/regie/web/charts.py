"""Vega-Lite specs of the shell's own pages: what to show, not how it looks."""

from __future__ import annotations

from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from regie.publishing.queries import EDGES, Histogram

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


def punctuality_rows(found: Histogram) -> list[dict[str, Any]]:
    """One per bar, the most punctual first: {label, many, percent}."""
    labels = [_("up to {time}").format(time=_time(edge)) for edge in EDGES]
    labels.append(_("more than {time}").format(time=_time(EDGES[-1])))
    sent = found.sent or 1
    return [
        {"label": label, "many": many, "percent": 100 * many / sent}
        for label, many in zip(labels, found.counts, strict=True)
    ]


def _time(seconds: float) -> str:
    if seconds < 60:
        return _("{n} s").format(n=number_format(seconds))
    if seconds < 3600:
        return _("{n} min").format(n=number_format(seconds / 60, 0))
    return _("{n} h").format(n=number_format(seconds / 3600, 0))


def punctuality(found: Histogram) -> dict[str, Any]:
    """How long after its promised moment each post was sent. ``spec`` and the sentence that says the same."""
    rows = punctuality_rows(found)
    last = max((number for number, row in enumerate(rows) if row["many"]), default=0)
    shown = rows[: max(last + 1, 6)]
    ticks = min(5, max(row["many"] for row in shown) or 1)  # whole posts only
    spec = {
        "$schema": SCHEMA,
        "data": {"values": [{"label": row["label"], "value": row["many"]} for row in shown]},
        "height": 200,
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            "x": {"field": "label", "type": "nominal", "title": None, "sort": None, "axis": {"labelAngle": -30}},
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": _("Posts"),
                "axis": {"tickCount": ticks, "format": "d"},
            },
            "tooltip": [
                {"field": "label", "title": _("After the promised moment")},
                {"field": "value", "type": "quantitative", "title": _("Posts")},
            ],
        },
    }
    return {"spec": spec, "summary": _summary(found)}


def _summary(found: Histogram) -> str:
    part, p50, p99 = found.within_a_minute, found.p50, found.p99
    if part is None or p50 is None or p99 is None:
        return _("Nothing was sent in this time.")
    said = ngettext(
        "{n} post, {part} % within a minute. Half of them within {p50} s, 99 of 100 within {p99} s.",
        "{n} posts, {part} % within a minute. Half of them within {p50} s, 99 of 100 within {p99} s.",
        found.sent,
    )
    return said.format(
        n=number_format(found.sent, 0),
        part=number_format(100 * part, 1),
        p50=number_format(p50, 1),
        p99=number_format(p99, 1),
    )
