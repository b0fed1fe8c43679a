"""What a Page takes, and what of it a member does. Sources: NOTES.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from regie.networks.capabilities import (
    Answering,
    Arrival,
    Capabilities,
    Choice,
    DocumentLimit,
    ImageLimit,
    MessageKind,
    NobodyKnows,
    Option,
    OptionKind,
    PollLimit,
    Quota,
    Search,
    Shows,
    SignIn,
    TextLimit,
    VideoLimit,
)

TEXT, COMMENT = 3000, 1250
TITLE, DESCRIPTION = 400, 4086
PICTURE_TYPES = ("image/jpeg", "image/png", "image/gif")
DURATIONS = (
    ("ONE_DAY", timedelta(days=1)),
    ("THREE_DAYS", timedelta(days=3)),
    ("SEVEN_DAYS", timedelta(days=7)),
    ("FOURTEEN_DAYS", timedelta(days=14)),
)
PICTURES = ImageLimit(
    most=20,
    largest_bytes=5_000_000,
    types=PICTURE_TYPES,
    largest_pixels=36_152_320,
    longest_alt=4086,
)
COVER = ImageLimit(most=1, largest_bytes=2_000_000, types=("image/jpeg", "image/png"))
VIDEO = VideoLimit(
    largest_bytes=500_000_000,
    longest=timedelta(minutes=30),
    shortest=timedelta(seconds=3),
    narrowest_ratio=1 / 2.4,
    widest_ratio=2.4,
    cover=COVER,
    captions=("application/x-subrip",),
)
DOCUMENTS = DocumentLimit(
    largest_bytes=100_000_000,
    types=(
        "application/pdf",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    most_pages=300,
)
POLL = PollLimit(
    most_options=4,
    longest_option=30,
    longest_question=140,
    shortest=DURATIONS[0][1],
    longest=DURATIONS[-1][1],
)
LINK = Option(
    name="link",
    kind=OptionKind.LINK,
    label="Link shown as a card",
    help="LinkedIn does not read the page: give a title, and one picture for the card.",
    shows=Shows.LINK,
)
NAME = Option(
    name="title", kind=OptionKind.LINE, label="Title of the link or the video", longest=TITLE, shows=Shows.TITLE
)
SUMMARY = Option(name="description", kind=OptionKind.LINE, label="Description of the link", longest=DESCRIPTION)
PRIVACY = Option(
    name="privacy",
    kind=OptionKind.CHOICE,
    label="Who may see it",
    choices=(Choice("PUBLIC", "Anyone"), Choice("CONNECTIONS", "Your connections only")),
    default="PUBLIC",
)
RESHARING = Option(name="no_resharing", kind=OptionKind.SWITCH, label="Nobody may repost it")
AUDIENCE = Option(
    name="audience",
    kind=OptionKind.TAGS,
    label="Only for these followers",
    help="LinkedIn's names for places, industries, functions and seniorities (urn:li:geo:105015875), or languages "
    "(fr_FR). At least 300 followers have to match.",
    most=20,
)
TARGETS = {  # what an audience names -> where it belongs in targetEntities
    "geo": "geoLocations",
    "industry": "industries",
    "function": "jobFunctions",
    "seniority": "seniorities",
}
TARGET = re.compile(r"^urn:li:([a-z]+):\d+$")
LANGUAGE = re.compile(r"^([a-z]{2})_([A-Z]{2})$")

SHARING_QUOTA = Quota(name="member", limit=150, per=timedelta(days=1), cost=(("publish", 1), ("upload", 3)))

PAGE_METRICS = ("likes", "replies", "shares", "views", "reach", "clicks")
MEMBER_METRICS = ("likes", "replies", "shares", "views", "reach")
CAN = Capabilities(
    text=TextLimit(longest=TEXT),
    repeat=Search(visible_within=timedelta(minutes=2)),
    sign_in=(SignIn.OAUTH,),
    images=PICTURES,
    video=VIDEO,
    documents=DOCUMENTS,
    poll=POLL,
    options=(LINK, NAME, SUMMARY, RESHARING, AUDIENCE),
    first_comment=True,
    edit=True,
    edit_comment=True,
    delete=True,
    reads=frozenset({MessageKind.COMMENT, MessageKind.MENTION}),
    answers=frozenset({Answering.REPLY, Answering.LIKE, Answering.DELETE_OWN, Answering.DELETE}),
    arrival=(Arrival.POLL, Arrival.WEBHOOK),
    post_metrics=PAGE_METRICS,
    account_metrics=("followers", "views_day", "reach_day", "interactions_day"),
)


def can_on(limits: Mapping[str, Any]) -> Capabilities:
    """What the account's kind and the scopes that were granted leave of it. Unknown scopes count as granted."""
    scopes = frozenset(limits.get("scopes") or ())

    def may(scope: str) -> bool:
        return not scopes or scope in scopes

    if limits.get("kind") == "profile":
        return replace(
            CAN,
            repeat=NobodyKnows(),
            options=(LINK, NAME, SUMMARY, PRIVACY, RESHARING),
            first_comment=may("w_member_social_feed"),
            reads=frozenset(),
            answers=frozenset(),
            arrival=(),
            post_metrics=MEMBER_METRICS if may("r_member_postAnalytics") else (),
            account_metrics=("followers",) if may("r_member_profileAnalytics") else (),
            quotas=() if may("w_member_social_feed") else (SHARING_QUOTA,),
        )
    commented = may("w_organization_social_feed")
    if limits.get("role", "ADMINISTRATOR") != "ADMINISTRATOR":  # it publishes, and is told nothing
        return replace(
            CAN,
            first_comment=commented,
            reads=frozenset(),
            answers=frozenset(),
            arrival=(),
            post_metrics=(),
            account_metrics=("followers",),
        )
    return replace(CAN, first_comment=commented)
