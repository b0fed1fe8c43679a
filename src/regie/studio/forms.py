"""Reading the composer's form, and the filters of the list.

The composer is one form that any browser can send. A document (the shared one, or an account's own) is a set of
fields that begin with its key: ``s`` for the shared one, ``v12`` for that of account 12. Part 0 of the shared document
is ``s-0-text``, ``s-0-media`` (file numbers, in order), ``s-0-alt-7`` (alternative text of file 7 there) and
``s-0-cut-7`` (that video may be shortened), ``s-0-cover-7`` and ``s-0-captions-7`` (files that go with it),
``s-0-language-7`` (of its subtitles), ``s-0-as-video-7`` (a sound may become a video). ``s-format`` is what the post is
on its networks. ``s-options`` names the options that the page drew, each as where:name:kind ("youtube:title:line",
"17:board:choice"), and with the switch it belongs under ("tiktok:own_brand:switch:promotes"); ``s-opt-youtube-title``
holds one of them. ``s-comment`` is the first comment.
"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from regie.networks.capabilities import Format
from regie.networks.options import Value
from regie.studio.campaigns import FIRST_COLOUR
from regie.studio.content import Content, MediaUse, Part, Poll
from regie.studio.services import NONE, SAME, Given, Written

MOST_PARTS = 50
MOST_OPTIONS = 12
MOST_FIELDS = 2000
LONGEST_SEARCH = 100  # characters
TAG_ENDS = re.compile(r"[,;\n]")


def read(data: QueryDict) -> Written:
    """What a person wrote. Whatever is out of bounds or makes no sense is taken as not said."""
    custom = set(_numbers(data, "custom"))
    by_hand = set(_numbers(data, "by_hand"))
    on = {
        account: Given(
            content=read_content(data, f"v{account}") if account in custom else None,
            by_hand=account in by_hand,
            assignee=_number(data.get(f"assignee-{account}")),
        )
        for account in dict.fromkeys(_numbers(data, "account"))
    }
    campaign = (_number(data.get("campaign")) or NONE) if "campaign" in data else SAME
    return Written(content=read_content(data, "s"), on=on, title=data.get("title", ""), campaign=campaign)


def read_content(data: QueryDict, key: str) -> Content:
    parts = max(1, min(MOST_PARTS, _number(data.get(f"{key}-parts")) or 1))
    return Content(
        parts=[_part(data, f"{key}-{number}") for number in range(parts)],
        content_warning=data.get(f"{key}-warning", "").strip(),
        sensitive=f"{key}-sensitive" in data,
        language=data.get(f"{key}-language", "")[:10],
        visibility=data.get(f"{key}-visibility", "")[:20],
        poll=_poll(data, key) if data.get(f"{key}-poll") else None,
        format=_format(data.get(f"{key}-format")),
        options=read_options(data, key),
        first_comment=data.get(f"{key}-comment", "").replace("\r\n", "\n").strip(),
    )


def read_options(data: QueryDict, key: str) -> dict[str, dict[str, Value]]:
    """What was chosen. A field left empty was not; a switch says only what differs from how it begins. What belongs
    under a switch that is off is not meant."""
    found: dict[str, dict[str, Value]] = {}
    for marker in data.getlist(f"{key}-options")[:MOST_FIELDS]:
        where, _colon, rest = marker.partition(":")
        name, kind, within = [*rest.split(":"), "", ""][:3]
        value = _option(data, f"{key}-opt-{where}-{name}", kind)
        if value is not None and (not within or f"{key}-opt-{where}-{within}" in data):
            found.setdefault(where, {})[name] = value
    return found


def words_for(data: QueryDict, key: str, account: int, option: str) -> str:
    """What was typed to find choices of an option on an account; it is no part of the post."""
    return data.get(f"{key}-opt-{account}-{option}-find", "").strip()[:LONGEST_SEARCH]


def _option(data: QueryDict, name: str, kind: str) -> Value | None:
    match kind:
        case "switch":
            return True if name in data else None
        case "on":
            return None if name in data else False
        case "several":
            return list(dict.fromkeys(filter(None, data.getlist(name)))) or None
        case "tags":
            tags = (tag.strip() for tag in TAG_ENDS.split(data.get(name, "")))
            return list(dict.fromkeys(filter(None, tags))) or None
    return data.get(name, "").strip() or None


def _format(value: str | None) -> Format:
    return Format(value) if value in list(Format) else Format.POST


def _part(data: QueryDict, key: str) -> Part:
    return Part(
        text=data.get(f"{key}-text", "").replace("\r\n", "\n"),
        media=[_use(data, key, file) for file in dict.fromkeys(_numbers(data, f"{key}-media"))],
    )


def _use(data: QueryDict, key: str, file: int) -> MediaUse:
    return MediaUse(
        file=file,
        alt=data.get(f"{key}-alt-{file}"),
        cut=f"{key}-cut-{file}" in data,
        cover=_number(data.get(f"{key}-cover-{file}")),
        captions=_number(data.get(f"{key}-captions-{file}")),
        language=data.get(f"{key}-language-{file}", "").strip()[:12],
        as_video=f"{key}-as-video-{file}" in data,
    )


def _poll(data: QueryDict, key: str) -> Poll:
    options = [option.strip() for option in data.getlist(f"{key}-option")][:MOST_OPTIONS]
    return Poll(
        options=options + [""] * (2 - len(options)),
        minutes=max(1, _number(data.get(f"{key}-minutes")) or 1440),
        multiple=f"{key}-multiple" in data,
        hide_totals=f"{key}-hide" in data,
        question=data.get(f"{key}-question", "").strip(),
        correct=_right(data.get(f"{key}-correct"), len(options)),
        explanation=data.get(f"{key}-explanation", "").strip(),
    )


def _right(value: str | None, answers: int) -> int | None:
    number = _number(value)
    return number if number is not None and number < answers else None


def _numbers(data: QueryDict, name: str) -> list[int]:
    return [number for value in data.getlist(name) if (number := _number(value)) is not None]


def _number(value: str | None) -> int | None:
    return int(value) if value and value.isascii() and value.isdigit() and len(value) < 18 else None


STATES = (
    ("", _("Any state")),
    ("draft", _("Drafts")),
    ("planned", _("Planned")),
    ("needs_me", _("Need a decision")),
    ("published", _("Published")),
    ("limited", pgettext_lazy("delivery", "Not public")),
    ("cancelled", _("Cancelled")),
)


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class PostFilters(forms.Form):
    """What the list of posts can be narrowed by; it lives in the address."""

    q = forms.CharField(
        label=_("Search"), required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search"})
    )
    state = forms.ChoiceField(label=_("State"), choices=STATES, required=False)
    account = forms.TypedChoiceField(label=_("Account"), required=False, coerce=int, empty_value=None)
    campaign = forms.TypedChoiceField(label=_("Campaign"), required=False, coerce=int, empty_value=None)
    author = forms.TypedChoiceField(label=_("Written by"), required=False, coerce=int, empty_value=None)

    def __init__(
        self,
        data: Any,
        *,
        accounts: list[tuple[int, str]],
        authors: list[tuple[int, str]],
        campaigns: list[tuple[int, str]],
    ) -> None:
        super().__init__(data)
        if campaigns:
            self.fields["campaign"].choices = [("", _("Any campaign")), *campaigns]  # type: ignore[attr-defined]
        else:
            del self.fields["campaign"]
        self.fields["account"].choices = [("", _("Any account")), *accounts]  # type: ignore[attr-defined]
        self.fields["author"].choices = [("", _("Anyone")), *authors]  # type: ignore[attr-defined]


class CampaignForm(forms.Form):
    """A campaign's plan."""

    name = forms.CharField(label=_("Name"), max_length=120)
    colour = forms.RegexField(
        r"^#[0-9a-fA-F]{6}$", label=_("Colour"), initial=FIRST_COLOUR, widget=forms.TextInput(attrs={"type": "color"})
    )
    starts_on = forms.DateField(label=_("First day"), required=False, widget=_day())
    ends_on = forms.DateField(label=_("Last day"), required=False, widget=_day())
