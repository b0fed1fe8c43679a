"""Template tags of the planner: how a post comes again. ``{% load planner %}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.safestring import SafeString

from regie.planner.drawing import Pen
from regie.planner.forms import RepeatForm
from regie.planner.models import Recurrence
from regie.planner.queries import Entry
from regie.planner.rules import end_in_words, in_words

register = template.Library()


@register.inclusion_tag("planner/_repeat.html", takes_context=True)
def repeat_fields(context: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a form that say whether a post comes again, as they were sent."""
    request = context["request"]
    return {"form": RepeatForm(request.POST if request.method == "POST" else None)}


@register.simple_tag(takes_context=True)
def draw(context: Mapping[str, Any], entry: Entry) -> SafeString:
    """One delivery on the calendar, with the page's ``pen``."""
    pen: Pen = context["pen"]
    return pen.draw(entry)


@register.simple_tag
def rule_of(row: Recurrence) -> str:
    """Every week on Monday, until 1 May 2030."""
    return f"{in_words(row.rule, row.first_on)}, {end_in_words(row.until, row.count)}"
