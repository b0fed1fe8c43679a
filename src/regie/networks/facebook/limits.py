"""What a Page takes. Sources: NOTES.md."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from regie.networks.capabilities import (
    Answering,
    Arrival,
    Capabilities,
    Format,
    ImageLimit,
    MessageKind,
    Option,
    OptionKind,
    Search,
    Shows,
    SignIn,
    TextLimit,
    VideoLimit,
)
from regie.networks.data import Draft, Json, Options
from regie.networks.errors import Refused
from regie.networks.facebook.sign_in import MISSING
from regie.networks.facebook.wire import NETWORK

COUNTRY = re.compile(r"[A-Z]{2}")
PICTURES = ImageLimit(
    most=10,
    largest_bytes=4_000_000,
    types=("image/jpeg", "image/png"),
    longest_side=2048,
    longest_alt=1000,
)
COVER = ImageLimit(most=1, largest_bytes=10_000_000, types=("image/jpeg", "image/png"), longest_side=1920)
SUBTITLES = ("application/x-subrip",)
MOST_SUBTITLES = 200_000  # bytes
COUNTRY_OF = {  # of a language that is not its country's code twice, as in fr_FR
    "ca": "ES", "cs": "CZ", "da": "DK", "el": "GR", "en": "US", "et": "EE", "eu": "ES", "fa": "IR", "gl": "ES",
    "he": "IL", "hi": "IN", "ja": "JP", "ko": "KR", "nb": "NO", "nn": "NO", "sl": "SI", "sr": "RS", "sv": "SE",
    "uk": "UA", "vi": "VN", "zh": "CN",
}  # fmt: skip
VIDEO = VideoLimit(
    largest_bytes=1_750_000_000,
    longest=timedelta(minutes=45),
    types=("video/mp4", "video/quicktime"),
    shortest=timedelta(seconds=1),
    cover=COVER,
    captions=SUBTITLES,
)
REEL = VideoLimit(
    largest_bytes=1_000_000_000,
    longest=timedelta(seconds=90),
    shortest=timedelta(seconds=3),
    narrowest_ratio=9 / 16,
    widest_ratio=9 / 16,
    longest_side=1920,
    cover=COVER,
    captions=SUBTITLES,
)
IN_FEED = (Format.POST, Format.SHORT)  # not in stories
OPTIONS = (
    Option(
        name="link",
        kind=OptionKind.LINK,
        label="Link",
        help="Shown as a card. Without it, an address in the text is; beside pictures or a video there is none.",
        longest=2000,
        formats=(Format.POST,),
        shows=Shows.LINK,
    ),
    Option(
        name="title",
        kind=OptionKind.LINE,
        label="Title of the video",
        longest=255,
        formats=IN_FEED,
        only_with="video",
        shows=Shows.TITLE,
    ),
    Option(
        name="countries",
        kind=OptionKind.TAGS,
        label="Only in these countries",
        help="Two letters each: FR, BE. People in other countries do not see the post.",
        most=25,
        longest=2,
        formats=IN_FEED,
    ),
    Option(
        name="place",
        kind=OptionKind.LINE,
        label="Place",
        help="The number of the place's page on Facebook.",
        longest=20,
    ),
    Option(
        name="sponsor",
        kind=OptionKind.LINE,
        label="Paid partnership with",
        help="The number of the sponsor's Page on Facebook. People read that it was paid for.",
        longest=20,
        formats=(Format.POST,),
    ),
    Option(
        name="collaborators",
        kind=OptionKind.TAGS,
        label="Collaborator",
        help="The number of a Page on Facebook that is asked to show the Reel too.",
        most=1,
        longest=20,
        formats=(Format.SHORT,),
    ),
    Option(
        name="made_with_ai",
        kind=OptionKind.SWITCH,
        label="Made with artificial intelligence",
        only_with="video",
        shows=Shows.MARK,
    ),
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
    story_video=replace(REEL, longest=timedelta(seconds=60), cover=None, captions=()),
    options=OPTIONS,
    first_comment=True,
    comment=TextLimit(longest=8000),
    direct=TextLimit(longest=2000),  # Send API
    edit=True,
    edit_comment=True,
    edits=("title",),
    delete=True,
    reads=frozenset({MessageKind.COMMENT, MessageKind.MENTION, MessageKind.DIRECT}),
    answers=frozenset({Answering.REPLY, Answering.LIKE, Answering.DELETE_OWN, Answering.HIDE, Answering.DELETE}),
    arrival=(Arrival.POLL, Arrival.WEBHOOK),
    post_metrics=POST_METRICS,
    account_metrics=ACCOUNT_METRICS,
)


def can_on(limits: Json) -> Capabilities:
    """Without the permission for it, comments are only read; messages are answered with another one."""
    missing = limits.get("missing", ())
    can = CAN
    if MISSING["pages_messaging"] in missing:
        can = replace(can, unanswered=frozenset({MessageKind.DIRECT}))
    if MISSING["pages_manage_engagement"] in missing:
        can = replace(
            can,
            first_comment=False,
            edit_comment=False,
            answers=frozenset({Answering.REPLY}),
            unanswered=can.unanswered | {MessageKind.COMMENT, MessageKind.MENTION},
        )
    return can


def objections(draft: Draft) -> tuple[Refused, ...]:
    """What a Page would refuse in its options."""
    said = []
    if draft.options.get("link") and (draft.pictures or draft.videos):
        said.append(Refused("On {network} a link and pictures or videos cannot go together.", network=NETWORK))
    place = str(draft.options.get("place", ""))
    if place and not place.isdigit():
        said.append(Refused("The place on {network} is a number.", network=NETWORK))
    if place and draft.videos and draft.format is Format.POST:
        said.append(Refused("On {network} a video has no place, unless it is a short one.", network=NETWORK))
    if place and draft.pictures and draft.format is Format.STORY:
        said.append(Refused("On {network} a picture in a story has no place.", network=NETWORK))
    pages = (str(draft.options.get("sponsor", "")), *collaborators(draft.options))
    if any(page and not page.isdigit() for page in pages):
        said.append(Refused("A Page on {network} is named by its number here.", network=NETWORK))
    wrong = next((one for one in countries(draft.options) if not COUNTRY.fullmatch(one)), None)
    if wrong is not None:
        said.append(Refused("“{name}” is no country: it takes two letters, as FR.", name=wrong))
    return tuple(said)


def locale_of(language: str) -> str:
    """A language ("fr", "fr-CA") as Facebook names them: "fr_FR", "fr_CA"."""
    code, _, rest = language.replace("_", "-").partition("-")
    country = rest.rpartition("-")[2]  # what may stand between is a script: zh-Hans-CN
    return f"{code.lower()}_{country.upper() if len(country) == 2 else COUNTRY_OF.get(code.lower(), code.upper())}"


def countries(options: Options) -> list[str]:
    tags = options.get("countries", ())
    return [tag.upper() for tag in tags] if isinstance(tags, tuple) else []


def collaborators(options: Options) -> tuple[str, ...]:
    tags = options.get("collaborators", ())
    return tags if isinstance(tags, tuple) else ()
