"""What Instagram takes. Sources: NOTES.md."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import regex

from regie.networks.capabilities import (
    Answering,
    Arrival,
    AskStatus,
    Capabilities,
    ImageLimit,
    MessageKind,
    SignIn,
    TextLimit,
    VideoLimit,
)
from regie.networks.data import Json
from regie.networks.instagram.measuring import ACCOUNT_METRICS, POST_METRICS

CAROUSEL = 10
HASHTAGS, MENTIONS = 30, 20
HASHTAG = regex.compile(r"(?<![\w&/])#[\p{L}\p{N}\p{M}_]+")
MENTION = regex.compile(r"(?<![\w./])@[A-Za-z0-9_.]+")

PICTURES = ImageLimit(
    most=CAROUSEL,
    largest_bytes=8 * 1024 * 1024,
    types=("image/jpeg",),
    longest_side=1440,
    longest_alt=1000,
    tallest=4 / 5,
    broadest=1.91,
)
REEL = VideoLimit(
    largest_bytes=300 * 1000 * 1000,
    types=("video/mp4", "video/quicktime"),
    shortest=timedelta(seconds=3),
    longest=timedelta(minutes=15),
    narrowest_ratio=0.01,
    widest_ratio=10.0,
    longest_side=1920,
    codecs=("h264", "hevc"),
)
CAN = Capabilities(
    text=TextLimit(longest=2200),
    repeat=AskStatus(),
    sign_in=(SignIn.OAUTH,),
    links=False,  # an address in a caption is not a link
    images=PICTURES,
    video=replace(REEL, most=CAROUSEL, longest=timedelta(minutes=15)),
    mixed_media=True,
    media_required=True,
    short=REEL,
    story_images=replace(PICTURES, most=1, longest_alt=None, tallest=None, broadest=None),
    story_video=replace(REEL, largest_bytes=100 * 1000 * 1000, longest=timedelta(seconds=60), narrowest_ratio=0.1),
    fetches_media=True,
    first_comment=True,
    delete=True,
    reads=frozenset({MessageKind.COMMENT, MessageKind.MENTION, MessageKind.DIRECT}),
    answers=frozenset({Answering.REPLY, Answering.DELETE_OWN, Answering.HIDE}),
    arrival=(Arrival.POLL, Arrival.WEBHOOK),
    post_metrics=POST_METRICS,
    account_metrics=ACCOUNT_METRICS,
)


def can_on(limits: Json) -> Capabilities:
    """Deleting needs Facebook's login."""
    return replace(CAN, delete=False) if limits.get("login") == "instagram" else CAN


def too_many_words(text: str) -> tuple[str, int] | None:
    """Which kind of word a caption has too many of, and how many Instagram takes."""
    if len(HASHTAG.findall(text)) > HASHTAGS:
        return "#", HASHTAGS
    if len(MENTION.findall(text)) > MENTIONS:
        return "@", MENTIONS
    return None
