"""Whether a poll fits: its answers, how long it stays open, and the right answer of a quiz."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from regie.networks import text
from regie.networks.capabilities import Capabilities, PollLimit
from regie.studio.checks.findings import Finding, stop
from regie.studio.content import Content, Poll


def about_poll(content: Content, can: Capabilities, name: str) -> list[Finding]:
    poll = content.poll
    if poll is None:
        return []
    if can.poll is None:
        return [stop(_("{network} has no polls: take it out for this account.").format(network=name))]
    found = _about_options_of(poll, can.poll, name) + _about_duration(poll, can.poll, name)
    if content.parts[0].media and not can.poll_with_media:
        found.append(stop(_("On {network} a poll and pictures or videos cannot go together.").format(network=name), 0))
    question = poll.question.strip() or content.text.strip()
    if not question:
        found.append(stop(_("The poll has no question: write it in the text."), 0))
    elif can.poll.longest_question is not None and (over := text.graphemes(question) - can.poll.longest_question) > 0:
        found.append(
            stop(
                ngettext(
                    "The poll's question is {over} character too long.",
                    "The poll's question is {over} characters too long.",
                    over,
                ).format(over=over),
                0,
            )
        )
    if poll.multiple and not can.poll.multiple:
        found.append(stop(_("On {network} a poll has one answer only.").format(network=name)))
    if poll.hide_totals and not can.poll.hide_totals:
        found.append(stop(_("{network} cannot hide a poll's results until it ends.").format(network=name)))
    return found + _about_quiz(poll, can.poll, name)


def _about_quiz(poll: Poll, limit: PollLimit, name: str) -> list[Finding]:
    if poll.correct is None:
        return []
    if not limit.quiz:
        return [stop(_("{network} has no quizzes: choose no right answer for this account.").format(network=name))]
    found = []
    if poll.correct >= len(poll.options):
        found.append(stop(_("The right answer of the quiz is none of its answers: choose one.")))
    if poll.multiple:
        found.append(stop(_("A quiz has one right answer: people cannot choose several.")))
    words = poll.explanation.strip()
    if words and limit.longest_explanation is None:
        found.append(stop(_("{network} shows no explanation with a quiz: take it out.").format(network=name)))
    elif words and limit.longest_explanation and (over := text.graphemes(words) - limit.longest_explanation) > 0:
        found.append(
            stop(
                ngettext(
                    "The explanation of the quiz is {over} character too long.",
                    "The explanation of the quiz is {over} characters too long.",
                    over,
                ).format(over=over)
            )
        )
    return found


def _about_options_of(poll: Poll, limit: PollLimit, name: str) -> list[Finding]:
    options = [option.strip() for option in poll.options]
    found = []
    if len([option for option in options if option]) < max(limit.fewest_options, len(options)):
        found.append(stop(_("An answer of the poll is empty: fill it or take it out.")))
    if len(options) > limit.most_options:
        found.append(
            stop(
                _("A poll on {network} has at most {most} answers; there are {there}.").format(
                    network=name, most=limit.most_options, there=len(options)
                )
            )
        )
    if len(set(options)) < len(options):
        found.append(stop(_("Two answers of the poll are the same.")))
    found.extend(
        stop(
            ngettext(
                "The answer “{option}” is {over} character too long.",
                "The answer “{option}” is {over} characters too long.",
                over,
            ).format(option=option, over=over)
        )
        for option in options
        if (over := text.graphemes(option) - limit.longest_option) > 0
    )
    return found


def _about_duration(poll: Poll, limit: PollLimit, name: str) -> list[Finding]:
    if limit.shortest is not None and poll.lasts < limit.shortest:
        return [
            stop(
                _("On {network} a poll stays open for at least {time}.").format(network=name, time=span(limit.shortest))
            )
        ]
    if limit.longest is not None and poll.lasts > limit.longest:
        return [
            stop(_("On {network} a poll stays open for at most {time}.").format(network=name, time=span(limit.longest)))
        ]
    return []


def span(time: timedelta) -> str:
    """A duration in words, in the largest unit that keeps it whole."""
    seconds = int(time.total_seconds())
    if seconds >= 86_400:
        return ngettext("{n} day", "{n} days", seconds // 86_400).format(n=seconds // 86_400)
    if seconds >= 3600:
        return ngettext("{n} hour", "{n} hours", seconds // 3600).format(n=seconds // 3600)
    if seconds >= 60:
        return ngettext("{n} minute", "{n} minutes", seconds // 60).format(n=seconds // 60)
    return ngettext("{n} second", "{n} seconds", seconds).format(n=seconds)
