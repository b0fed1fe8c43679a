"""What pages of other apps show of conversations: ``{% load community %}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template

from regie.community import queries
from regie.publishing.models import Delivery

register = template.Library()


@register.simple_tag(takes_context=True)
def said_under(context: Mapping[str, Any], delivery: Delivery) -> list[dict[str, Any]]:
    """Lines of {message, by}: what people said under a delivery and what we answered, for those who may read it."""
    said = queries.said_under(delivery, context["scope"])
    answers = queries.answers_behind(said)
    return [{"message": message, "by": getattr(answers.get(message.remote_id), "by", None)} for message in said]
