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
    Format,
    ImageLimit,
    MessageKind,
    Option,
    OptionKind,
    Quota,
    Search,
    Shows,
    SignIn,
    TextLimit,
    VideoLimit,
)
from regie.networks.data import Draft, Json, Options
from regie.networks.errors import Refused
from regie.networks.instagram.measuring import ACCOUNT_METRICS, POST_METRICS
from regie.networks.instagram.wire import NETWORK

DAY = timedelta(days=1)
CAROUSEL = 10
HASHTAGS, MENTIONS = 30, 20
HASHTAG = regex.compile(r"(?<![\w&/])#[\p{L}\p{N}\p{M}_]+")
MENTION = regex.compile(r"(?<![\w./])@[A-Za-z0-9_.]+")
USERNAME = regex.compile(r"[A-Za-z0-9_.]{1,30}")

PICTURES = ImageLimit(
    most=CAROUSEL,
    largest_bytes=8 * 1024 * 1024,
    types=("image/jpeg",),
    longest_side=1440,
    longest_alt=1000,
    tallest=4 / 5,
    broadest=1.91,
)
COVER = ImageLimit(most=1, largest_bytes=8 * 1024 * 1024, types=("image/jpeg",), longest_side=1920)
REEL = VideoLimit(
    largest_bytes=300 * 1000 * 1000,
    types=("video/mp4", "video/quicktime"),
    shortest=timedelta(seconds=3),
    longest=timedelta(minutes=15),
    narrowest_ratio=0.01,
    widest_ratio=10.0,
    longest_side=1920,
    codecs=("h264", "hevc"),
    cover=COVER,
)
IN_FEED = (Format.POST, Format.SHORT)  # not in stories
OPTIONS = (
    Option(
        name="collaborators",
        kind=OptionKind.TAGS,
        label="Collaborators",
        help="Usernames of accounts that are asked to show the post on their profile too.",
        most=3,
        longest=30,
        formats=IN_FEED,
        shows=Shows.LINE,
    ),
    Option(
        name="people",
        kind=OptionKind.TAGS,
        label="People in it",
        help="Usernames of public accounts. In pictures of a post they are marked in the middle; of several, in the "
        "first. In a story they are mentioned.",
        most=20,
        longest=30,
        shows=Shows.LINE,
    ),
    Option(
        name="place",
        kind=OptionKind.LINE,
        label="Place",
        help="The number of the place's page on Facebook.",
        longest=30,
        formats=IN_FEED,
    ),
    Option(
        name="share_to_feed",
        kind=OptionKind.SWITCH,
        label="Show the Reel in the feed too",
        formats=(Format.SHORT,),
    ),
    Option(name="made_with_ai", kind=OptionKind.SWITCH, label="Made with artificial intelligence", shows=Shows.MARK),
    Option(
        name="paid_partnership",
        kind=OptionKind.SWITCH,
        label="Paid partnership",
        help="People read that it was paid for.",
        formats=IN_FEED,
        shows=Shows.MARK,
    ),
)
PRODUCTS = Option(
    name="products",
    kind=OptionKind.TAGS,
    label="Products",
    help="Of the account's shop. They are marked in the picture; of several, in the first.",
    searched=True,
    most=5,
    longest=30,
    formats=IN_FEED,
    shows=Shows.LINE,
)
READY, NO_SHOP, AGAIN = "ready", "no_shop", "again"  # ``Login.limits["products"]``; without it, nobody was asked
RUN_OUT = "{network} no longer lets Régie tag products for this account: connect it again through Facebook."
NO_PERMISSION = (
    "The operator of Régie first switches products on, below the keys of Instagram's app; then this account is "
    "connected again through Facebook."
)
WHY_NOT = {
    NO_SHOP: "Instagram says that this account has no shop whose products it may tag.",
    AGAIN: "The permission to tag products has run out: connect this account again through Facebook.",
}
NO_DELETING = "Posts cannot be deleted from here: connect again and leave managing posts ticked."
CAN = Capabilities(
    text=TextLimit(longest=2200),
    direct=TextLimit(longest=1000, longest_bytes=1000),  # Send API: UTF-8, 1,000 bytes
    repeat=AskStatus(then=Search(visible_within=timedelta(minutes=2))),
    sign_in=(SignIn.OAUTH,),
    links=False,  # an address in a caption is not a link
    images=PICTURES,
    video=replace(REEL, most=CAROUSEL, longest=timedelta(minutes=15)),
    mixed_media=True,
    media_required=True,
    short=REEL,
    story_images=replace(PICTURES, most=1, longest_alt=None, tallest=None, broadest=None),
    story_video=replace(
        REEL, largest_bytes=100 * 1000 * 1000, longest=timedelta(seconds=60), narrowest_ratio=0.1, cover=None
    ),
    fetches_media=True,
    options=(*OPTIONS, PRODUCTS),
    first_comment=True,
    delete=True,
    reads=frozenset({MessageKind.COMMENT, MessageKind.MENTION, MessageKind.DIRECT}),
    answers=frozenset({Answering.REPLY, Answering.DELETE_OWN, Answering.HIDE, Answering.DELETE}),
    arrival=(Arrival.POLL, Arrival.WEBHOOK),
    post_metrics=POST_METRICS,
    account_metrics=ACCOUNT_METRICS,
)


def can_on(limits: Json) -> Capabilities:
    """Deleting, saying that it was paid for and tagging products need Facebook's login, the last one permissions that
    few ask for. How many posts a day fit it tells itself."""
    most = limits.get("posts_a_day")
    can = replace(CAN, quotas=(Quota(name="posts", limit=int(most), per=DAY),)) if most else CAN
    if NO_DELETING in limits.get("missing", ()):
        can = replace(can, delete=False)
    if limits.get("login") != "instagram":
        why_not = WHY_NOT.get(str(limits.get("products")), NO_PERMISSION)
        closed = "" if limits.get("products") == READY else why_not
        return replace(can, options=(*OPTIONS, replace(PRODUCTS, closed=closed)))
    return replace(can, delete=False, options=tuple(one for one in OPTIONS if one.name != "paid_partnership"))


def objections(draft: Draft) -> tuple[Refused, ...]:
    """What Instagram would refuse in a caption, in its tags and its place."""
    said = []
    if (found := too_many_words(draft.text)) is not None:
        said.append(refused_words(*found))
    if (place := str(draft.options.get("place", ""))) and not place.isdigit():
        said.append(Refused("The place on {network} is a number.", network=NETWORK))
    tags = (*names(draft.options, "people"), *names(draft.options, "collaborators"))
    if wrong := next((name for name in tags if not USERNAME.fullmatch(name)), None):
        said.append(Refused("“{name}” is no username of {network}.", network=NETWORK, name=wrong))
    if not all(product.isdigit() for product in names(draft.options, "products")):
        said.append(Refused("A product on {network} is said by its number.", network=NETWORK))
    if draft.videos > 1 and not draft.pictures and names(draft.options, "people"):
        said.append(Refused("{network} marks people in pictures and in a single video.", network=NETWORK))
    if draft.covers and draft.pictures + draft.videos > 1:
        said.append(Refused("{network} shows a cover of your own with a single video only.", network=NETWORK))
    return tuple(said)


def names(options: Options, option: str) -> list[str]:
    """Usernames as Instagram takes them: without the @ that people write."""
    tags = options.get(option, ())
    return [tag.removeprefix("@") for tag in tags] if isinstance(tags, tuple) else []


def refused_words(sign: str, most: int) -> Refused:
    return Refused("{network} takes at most {most} words with {sign} in a text.", network=NETWORK, sign=sign, most=most)


def too_many_words(text: str) -> tuple[str, int] | None:
    """Which kind of word a caption has too many of, and how many Instagram takes."""
    if len(HASHTAG.findall(text)) > HASHTAGS:
        return "#", HASHTAGS
    if len(MENTION.findall(text)) > MENTIONS:
        return "@", MENTIONS
    return None
