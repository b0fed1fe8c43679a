"""What Pinterest takes. Sources: NOTES.md."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from regie.networks.capabilities import (
    Capabilities,
    ImageLimit,
    Option,
    OptionKind,
    Search,
    Shows,
    SignIn,
    TextLimit,
    VideoLimit,
)
from regie.networks.data import Json
from regie.networks.pinterest.measuring import ACCOUNT_METRICS, ACCOUNT_METRICS_ON_TRIAL, POST_METRICS

CAROUSEL = 5
ALT = 500

PICTURES = ImageLimit(
    most=CAROUSEL,
    largest_bytes=10 * 1024 * 1024,
    types=("image/jpeg", "image/png"),
    longest_alt=ALT,
)
VIDEO = VideoLimit(
    largest_bytes=2 * 1024 * 1024 * 1024,
    types=("video/mp4", "video/quicktime"),
    shortest=timedelta(seconds=4),
    longest=timedelta(minutes=15),
    narrowest_ratio=1 / 2,
    widest_ratio=1.91,
    longest_alt=ALT,
    codecs=("h264", "hevc"),
    cover=replace(PICTURES, most=1, longest_alt=None),
)
OPTIONS = (
    Option(name="board", kind=OptionKind.CHOICE, label="Board", required=True, asked=True),
    Option(name="board_section", kind=OptionKind.CHOICE, label="Section of the board", asked=True, after="board"),
    Option(name="title", kind=OptionKind.LINE, label="Title", longest=100, shows=Shows.TITLE),
    Option(
        name="link",
        kind=OptionKind.LINK,
        label="Link",
        help="Where a click on the Pin leads. Addresses in the description cannot be clicked.",
        longest=2048,
        shows=Shows.LINK,
    ),
)
CAN = Capabilities(
    text=TextLimit(longest=800),
    repeat=Search(visible_within=timedelta(minutes=2)),
    sign_in=(SignIn.OAUTH,),
    links=False,
    images=PICTURES,
    video=VIDEO,
    media_required=True,
    options=OPTIONS,
    edit=True,
    edits=("title", "link"),
    delete=True,
    post_metrics=POST_METRICS,
    account_metrics=ACCOUNT_METRICS,
)
ON_TRIAL = replace(CAN, video=None, post_metrics=(), account_metrics=ACCOUNT_METRICS_ON_TRIAL)


def can_on(limits: Json) -> Capabilities:
    """An app on trial access works in Pinterest's Sandbox, which makes no video Pins and knows no analytics."""
    return ON_TRIAL if limits.get("trial") else CAN
