"""What a Page takes. Sources: NOTES.md."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from regie.networks.capabilities import (
    Answering,
    Arrival,
    Capabilities,
    ImageLimit,
    MessageKind,
    Search,
    SignIn,
    TextLimit,
    VideoLimit,
)

PICTURES = ImageLimit(
    most=10,
    largest_bytes=4_000_000,
    types=("image/jpeg", "image/png"),
    longest_side=2048,
    longest_alt=1000,
)
VIDEO = VideoLimit(
    largest_bytes=1_750_000_000,
    longest=timedelta(minutes=45),
    types=("video/mp4", "video/quicktime"),
    shortest=timedelta(seconds=1),
)
REEL = VideoLimit(
    largest_bytes=1_000_000_000,
    longest=timedelta(seconds=90),
    shortest=timedelta(seconds=3),
    narrowest_ratio=9 / 16,
    widest_ratio=9 / 16,
    longest_side=1920,
)
POST_METRICS = ("likes", "replies", "shares", "views", "reach", "clicks")
ACCOUNT_METRICS = ("followers", "views_day", "reach_day", "interactions_day")
CAN = Capabilities(
    text=TextLimit(longest=63_206),
    repeat=Search(visible_within=timedelta(minutes=2)),
    sign_in=(SignIn.OAUTH,),
    link_card=True,
    images=PICTURES,
    video=VIDEO,
    short=REEL,
    story_images=replace(PICTURES, most=1, longest_alt=None),
    story_video=replace(REEL, longest=timedelta(seconds=60)),
    first_comment=True,
    edit=True,
    delete=True,
    reads=frozenset({MessageKind.COMMENT, MessageKind.MENTION, MessageKind.DIRECT}),
    answers=frozenset({Answering.REPLY, Answering.LIKE, Answering.DELETE_OWN, Answering.HIDE}),
    arrival=(Arrival.POLL, Arrival.WEBHOOK),
    post_metrics=POST_METRICS,
    account_metrics=ACCOUNT_METRICS,
)
