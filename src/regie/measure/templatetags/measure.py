"""Numbers that explain themselves, for pages of any app: ``{% load measure %}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils import formats

from regie.measure import charts, queries
from regie.measure.queries import Number
from regie.measure.words import WORDS
from regie.networks import registry
from regie.publishing.models import Delivery

register = template.Library()


@register.simple_tag(takes_context=True)
def post_numbers(context: Mapping[str, Any], delivery: Delivery) -> dict[str, Any]:
    """``numbers``, ``spec`` and ``network`` of a delivery's post; empty for those who may not see them."""
    if not context["scope"].member_in(delivery.workspace_id).may("measure"):
        return {}
    series = queries.series_of(delivery)
    points = sum(value is not None for line in series.values() for _, value in line)
    return {
        "id": f"post-chart-{delivery.pk}",
        "numbers": queries.numbers_of(delivery),
        "spec": charts.of_post(series) if points > 1 else None,
        "network": registry.connector(delivery.account.network).name,
    }


@register.simple_tag
def metric_label(name: str) -> str:
    return str(WORDS[name].label)


@register.inclusion_tag("measure/_number.html")
def number(shown: Number, network: str, of: str) -> dict[str, Any]:
    """A number with its definition, source and age behind a button. ``of`` makes the piece's id unique on the page."""
    return {"number": shown, "words": WORDS[shown.metric], "network": network, "id": f"why-{of}-{shown.metric}"}


@register.filter
def counted(value: int | None) -> str:
    """A number as people write it; a dash where the network did not say. Zero is a zero."""
    return "–" if value is None else str(formats.number_format(value, use_l10n=True, force_grouping=True))


@register.filter
def signed(value: int | None) -> str:
    """A change: with its sign; a dash where there is none to tell."""
    if value is None:
        return "–"
    return f"+{counted(value)}" if value > 0 else counted(value).replace("-", "−")
