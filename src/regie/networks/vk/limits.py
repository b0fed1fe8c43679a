"""What VK takes. Sources: NOTES.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import regex

from regie.networks.capabilities import (
    Answering,
    Arrival,
    Capabilities,
    DocumentLimit,
    Format,
    ImageLimit,
    MessageKind,
    NobodyKnows,
    Option,
    OptionKind,
    PollLimit,
    Search,
    Shows,
    SignIn,
    TextLimit,
    VideoLimit,
)
from regie.networks.data import Draft, Json
from regie.networks.errors import Refused
from regie.networks.vk.measuring import ACCOUNT_METRICS, ACCOUNT_METRICS_OF_COMMUNITY, POST_METRICS
from regie.networks.vk.wire import NETWORK

ATTACHMENTS = 10
POINT = regex.compile(r"\s*(-?\d{1,2}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*")

PICTURES = ImageLimit(
    most=ATTACHMENTS,
    largest_bytes=50 * 1024 * 1024,
    types=("image/jpeg", "image/png", "image/gif"),
    side_sum=14_000,
    widest_ratio=20.0,
)
VIDEO = VideoLimit(
    largest_bytes=2 * 1024 * 1024 * 1024,
    most=ATTACHMENTS,
    types=("video/mp4", "video/quicktime"),
    longest=timedelta(hours=12),
    codecs=("h264", "hevc"),
    cover=ImageLimit(most=1, largest_bytes=5 * 1024 * 1024, types=("image/jpeg", "image/png")),
)
OPTIONS = (
    Option(
        name="link",
        kind=OptionKind.LINK,
        label="Link",
        help="Shown below the text as a card.",
        longest=2048,
        formats=(Format.POST,),
        shows=Shows.LINK,
    ),
    Option(
        name="title",
        kind=OptionKind.LINE,
        label="Title of the video",
        longest=128,
        only_with="video",
        formats=(Format.POST,),
        shows=Shows.TITLE,
    ),
    Option(
        name="source",
        kind=OptionKind.LINK,
        label="Source",
        help="Where the material comes from, shown below the post.",
        formats=(Format.POST,),
        shows=Shows.LINE,
    ),
    Option(
        name="place",
        kind=OptionKind.LINE,
        label="Place",
        help="Its latitude and longitude, such as 45.7640, 4.8357. A map is shown below the post.",
        longest=40,
        formats=(Format.POST,),
    ),
    Option(
        name="signed",
        kind=OptionKind.SWITCH,
        label="Sign it",
        help="With the name of the administrator whose key is used.",
        formats=(Format.POST,),
    ),
    Option(name="no_comments", kind=OptionKind.SWITCH, label="Nobody may comment", formats=(Format.POST,)),
    Option(name="no_notifications", kind=OptionKind.SWITCH, label="Notify nobody", formats=(Format.POST,)),
    Option(
        name="advertisement",
        kind=OptionKind.SWITCH,
        label="Mark as advertising",
        formats=(Format.POST,),
        shows=Shows.MARK,
        shown_as="Advertising",
    ),
)
CAN = Capabilities(
    text=TextLimit(longest=16_384),
    direct=TextLimit(longest=9000),
    repeat=Search(visible_within=timedelta(minutes=1)),
    sign_in=(SignIn.ACCESS_KEY,),
    link_card=True,
    images=PICTURES,
    video=VIDEO,
    mixed_media=True,
    story_images=replace(PICTURES, most=1, largest_bytes=10 * 1024 * 1024, widest_ratio=None),
    story_video=VideoLimit(
        largest_bytes=100 * 1024 * 1024,
        longest=timedelta(seconds=60),
        longest_side=1280,
    ),
    ahead=False,
    documents=DocumentLimit(
        largest_bytes=200 * 1024 * 1024,
        types=(
            "application/pdf",
            "application/msword",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    ),
    options=OPTIONS,
    poll=PollLimit(most_options=10, longest_option=100, longest_question=255, multiple=True),
    poll_with_media=True,
    first_comment=True,
    edit=True,
    edit_comment=True,
    delete=True,
    reads=frozenset({MessageKind.COMMENT, MessageKind.DIRECT}),
    answers=frozenset({Answering.REPLY, Answering.LIKE, Answering.DELETE_OWN, Answering.DELETE}),
    arrival=(Arrival.POLL, Arrival.LONG_POLL, Arrival.WEBHOOK),
    post_metrics=POST_METRICS,
    account_metrics=ACCOUNT_METRICS,
)
OF_COMMUNITY = replace(
    CAN,
    repeat=NobodyKnows(),
    images=None,
    video=None,
    mixed_media=False,
    story_images=None,
    story_video=None,
    options=tuple(option for option in OPTIONS if option.only_with != "video" and option.name != "signed"),
    poll=None,
    poll_with_media=False,
    edit=False,
    delete=False,
    answers=frozenset({Answering.REPLY}),
    post_metrics=(),
    account_metrics=ACCOUNT_METRICS_OF_COMMUNITY,
)


def can_on(limits: Json) -> Capabilities:
    """With the community's own key alone VK takes texts, links and documents, and tells what is said from now on."""
    return CAN if limits.get("admin", True) else OF_COMMUNITY


def point_in(place: str) -> tuple[str, str] | None:
    """Latitude and longitude as somebody wrote them; None: they are none."""
    found = POINT.fullmatch(place)
    if found is None or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        return None
    return found[1], found[2]


def objections(draft: Draft) -> Iterator[Refused]:
    place = str(draft.options.get("place") or "")
    if place and point_in(place) is None:
        yield Refused("“{name}” is no latitude and longitude.", network=NETWORK, name=place)
