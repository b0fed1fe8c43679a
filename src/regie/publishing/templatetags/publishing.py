"""Template tags of publishing: precise moments, and the words of steps and calls. ``{% load publishing %}``."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from regie.core.sentences import in_words
from regie.publishing.editing import problem_of as _problem_of_edit
from regie.publishing.models import Attempt, Delivery, Edit, Step
from regie.publishing.states import LIMITED

register = template.Library()

Words = str | Promise

STEPS: dict[str, tuple[Words, str, str]] = {
    Step.State.WAITING: (gettext_lazy("Waiting"), "clock", "neutral"),
    Step.State.SENDING: (gettext_lazy("Sending"), "send", "info"),
    Step.State.PROCESSING: (gettext_lazy("Processing"), "progress", "info"),
    Step.State.PUBLISHED: (pgettext_lazy("step", "Published"), "circle-check", "good"),
    LIMITED: (pgettext_lazy("delivery", "Not public"), "eye-off", "warn"),
    Step.State.UNCLEAR: (gettext_lazy("Unclear"), "help-circle", "warn"),
    Step.State.REFUSED: (gettext_lazy("Refused"), "circle-x", "bad"),
    Step.State.DROPPED: (gettext_lazy("Taken out"), "circle-minus", "neutral"),
}
CALLS: dict[str, Words] = {
    Attempt.Kind.PREPARE: gettext_lazy("Preparing"),
    Attempt.Kind.COMMIT: gettext_lazy("Publishing"),
    Attempt.Kind.LOOK: gettext_lazy("Looking for it"),
}
OUTCOMES: dict[str, Words] = {
    "published": gettext_lazy("published"),
    "limited": gettext_lazy("taken, not public"),
    "ready": gettext_lazy("ready"),
    "pending": gettext_lazy("the network is working on it"),
    "later": gettext_lazy("asked to wait"),
    "refused": gettext_lazy("refused"),
    "sign_in": gettext_lazy("asks to sign in again"),
    "unclear": gettext_lazy("no clear answer"),
    "found": gettext_lazy("found"),
    "absent": gettext_lazy("not there"),
    "deleted": gettext_lazy("deleted"),
    "gone": gettext_lazy("no longer there"),
    "": gettext_lazy("no answer yet"),
}


@register.filter
def joined(start: str, end: object) -> str:
    """ "move-" and 7: "move-7"."""
    return f"{start}{end}"


@register.filter
def problem_of(delivery: Delivery) -> str:
    return in_words(delivery.problem, delivery.problem_facts)


@register.filter
def limited_of(delivery: Delivery) -> str:
    return in_words(delivery.limited)


@register.filter
def said_of(attempt: Attempt) -> str:
    return in_words(attempt.said, attempt.said_facts)


@register.filter
def step_word(state: str) -> Words:
    return STEPS[state][0]


@register.filter
def step_icon(state: str) -> str:
    return STEPS[state][1]


@register.filter
def step_tone(state: str) -> str:
    return STEPS[state][2]


@register.filter
def attempt_word(attempt: Attempt) -> Words:
    return CALLS[attempt.kind]


@register.filter
def outcome_word(attempt: Attempt) -> Words:
    return OUTCOMES.get(attempt.outcome, attempt.outcome.replace("_", " "))


@register.filter
def precisely(moment: datetime) -> str:
    """Date and time to the millisecond, on the clocks of the reader's zone."""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'SHORT_DATE_FORMAT')} {local:%H:%M:%S}.{local.microsecond // 1000:03d}"


@register.filter
def took(attempt: Attempt) -> str:
    return seconds_word((attempt.ended_at - attempt.began_at).total_seconds()) if attempt.ended_at else ""


@register.filter
def seconds_word(seconds: float) -> str:
    return _("{n} s").format(n=number_format(round(seconds, 3), 3 if abs(seconds) < 10 else 0))


@register.filter
def after_word(seconds: float) -> str:
    if seconds < 0:
        return _("{time} before").format(time=_span(-seconds))
    return _("{time} after").format(time=_span(seconds))


def _span(seconds: float) -> str:
    if seconds < 120:
        return seconds_word(seconds)
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if hours >= 48:
        return _("{n} d").format(n=hours // 24)
    return _("{n} h").format(n=hours) if hours >= 2 else _("{n} min").format(n=minutes)


@register.filter
def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


@register.filter
def edit_problem(edit: Edit) -> str:
    """Why a change was not taken, or not yet, in the reader's language."""
    return _problem_of_edit(edit)
