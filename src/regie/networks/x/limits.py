"""What X takes. Sources: NOTES.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import regex

from regie.networks.capabilities import (
    Answering,
    Arrival,
    Capabilities,
    Choice,
    Counting,
    ImageLimit,
    MessageKind,
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
from regie.networks.data import Draft, Json, Options
from regie.networks.errors import Refused
from regie.networks.x.measuring import ACCOUNT_METRICS, POST_METRICS
from regie.networks.x.wire import NETWORK

SHORT, LONG = 280, 25_000
PAYING = frozenset(("Basic", "Premium", "PremiumPlus"))  # subscriptions with long posts that can be edited
QUARTER, DAY = timedelta(minutes=15), timedelta(hours=24)
CASHTAG = regex.compile(r"(?<![\w$])\$[A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?(?!\w)")
COMMUNITY_ID = regex.compile(r"[0-9]{1,19}")
PLACE_ID = regex.compile(r"[0-9a-f]{16}")
USERNAME = regex.compile(r"@?[A-Za-z0-9_]{1,15}")
STATUS = regex.compile(r"/status(?:es)?/([0-9]{1,19})(?:[/?#]|$)")

PICTURES = ImageLimit(
    most=4,
    largest_bytes=5 * 1024 * 1024,
    types=("image/jpeg", "image/png", "image/webp", "image/gif"),
    longest_side=8192,
    longest_alt=1000,
)
REPLIES = Option(
    name="reply_settings",
    kind=OptionKind.CHOICE,
    label="Who can reply",
    choices=(
        Choice("following", "Accounts you follow"),
        Choice("mentionedUsers", "Only accounts you mention"),
        Choice("subscribers", "Only your subscribers"),
        Choice("verified", "Only verified accounts"),
    ),
    help="Everyone, unless you choose.",
)
COMMUNITY = Option(
    name="community",
    kind=OptionKind.LINE,
    label="Community",
    help="The number in the Community's address. This account must be a member.",
)
SHARED = Option(
    name="share_with_followers",
    kind=OptionKind.SWITCH,
    label="Also share with followers",
    help="Of a post in a Community.",
)
QUOTE = Option(
    name="quote",
    kind=OptionKind.LINK,
    label="Post to quote",
    help="Its address on X.",
    shows=Shows.LINK,
)
PEOPLE = Option(
    name="people",
    kind=OptionKind.TAGS,
    label="People in it",
    help="User names on X, of people who let themselves be tagged in photos.",
    most=10,
    longest=16,
    only_with="picture",
    shows=Shows.LINE,
)
PLACE = Option(
    name="place",
    kind=OptionKind.LINE,
    label="Place",
    help="The place's id on X: sixteen signs of 0-9 and a-f.",
    longest=16,
)
TITLE = Option(
    name="title",
    kind=OptionKind.LINE,
    label="Title of the video",
    only_with="video",
    shows=Shows.TITLE,
)
DESCRIPTION = Option(name="description", kind=OptionKind.LINE, label="Description of the video", only_with="video")
BY_AI = Option(name="made_with_ai", kind=OptionKind.SWITCH, label="Made with artificial intelligence", shows=Shows.MARK)
PAID = Option(name="paid_partnership", kind=OptionKind.SWITCH, label="Paid partnership", shows=Shows.MARK)

KEYS = (
    Option(
        name="api_key", kind=OptionKind.LINE, label="API key", help="With its secret: X then brings news by itself."
    ),
    Option(name="api_secret", kind=OptionKind.LINE, label="API key secret"),
    Option(
        name="plan",
        kind=OptionKind.CHOICE,
        label="Plan at X",
        help="Only an Enterprise plan may like, quote, and answer who did not name the account.",
        choices=(Choice("pay-per-use", "Pay per use"), Choice("enterprise", "Enterprise")),
    ),
)
"""What X gives an app beside its OAuth 2.0 client id and secret."""

CAN = Capabilities(
    text=TextLimit(longest=SHORT, counting=Counting.X),
    direct=TextLimit(longest=10_000),
    repeat=Search(visible_within=timedelta(minutes=1)),
    sign_in=(SignIn.OAUTH,),
    link_card=True,
    images=PICTURES,
    video=VideoLimit(
        largest_bytes=512 * 1024 * 1024,
        shortest=timedelta(seconds=0.5),
        longest=timedelta(seconds=140),
        types=("video/mp4", "video/quicktime"),
        narrowest_ratio=1 / 3,
        widest_ratio=3.0,
        longest_side=1280,
        cover=replace(PICTURES, most=1, types=("image/jpeg", "image/png"), longest_alt=None),
        captions=("application/x-subrip", "text/vtt"),
    ),
    options=(REPLIES, COMMUNITY, SHARED, QUOTE, PEOPLE, PLACE, TITLE, DESCRIPTION, BY_AI, PAID),
    sensitive=True,
    poll=PollLimit(most_options=4, longest_option=25, shortest=timedelta(minutes=5), longest=timedelta(minutes=10_080)),
    thread=25,
    first_comment=True,
    edit=True,
    edit_comment=True,
    delete=True,
    reads=frozenset((MessageKind.REPLY, MessageKind.MENTION, MessageKind.DIRECT)),
    answers=frozenset((Answering.REPLY, Answering.LIKE, Answering.DELETE_OWN, Answering.HIDE)),
    arrival=(Arrival.POLL, Arrival.WEBHOOK),
    post_metrics=POST_METRICS,
    account_metrics=ACCOUNT_METRICS,
    quotas=(
        Quota(name="posts", limit=100, per=QUARTER),
        Quota(name="posts of the app", limit=10_000, per=DAY, shared=True),
        Quota(name="readings", limit=300, per=QUARTER, cost=(("read", 1),)),
        Quota(name="uploads", limit=500, per=QUARTER, cost=(("upload", 1),)),
        Quota(name="deletions", limit=50, per=QUARTER, cost=(("delete", 1),)),
        Quota(name="likes", limit=50, per=QUARTER, cost=(("like", 1),)),
    ),
    in_flight=2,
)
"""Of the API as a whole. What only an Enterprise plan may do (likes, quotes), or only an account that pays (editing),
``can_on`` leaves out for all others."""


def can_on(limits: Json) -> Capabilities:
    """``limits``: subscription (X's word for it), plan of our app, scopes that were granted."""
    if not limits:
        return CAN
    answers, options, reads = set(CAN.answers), list(CAN.options), set(CAN.reads)
    if limits.get("plan") != "enterprise":
        answers.discard(Answering.LIKE)
        options.remove(QUOTE)
    scopes = limits.get("scopes") or ()
    if scopes and "tweet.moderate.write" not in scopes:
        answers.discard(Answering.HIDE)
    if scopes and "dm.read" not in scopes:
        reads.discard(MessageKind.DIRECT)
    paying = limits.get("subscription") in PAYING
    return replace(
        CAN,
        text=replace(CAN.text, longest=LONG if paying else SHORT),
        edit=paying,
        answers=frozenset(answers),
        reads=frozenset(reads),
        options=tuple(options),
    )


def objections(limits: Json, draft: Draft) -> Iterator[Refused]:
    """Rules that the declaration cannot say."""
    if limits.get("plan") != "enterprise" and len(CASHTAG.findall(draft.text)) > 1:
        yield Refused("{network} takes one cashtag ($) per post from an app.", network=NETWORK)
    quote = str(draft.options.get("quote") or "")
    if quote and status_in(quote) is None:
        yield Refused("The address of the post to quote is not one of {network}'s.", network=NETWORK)
    if quote and (draft.pictures or draft.videos or draft.poll):
        yield Refused("{network} takes no picture, video or poll in a post that quotes another.", network=NETWORK)
    if wrong := next((name for name in people_in(draft.options) if not USERNAME.fullmatch(name)), None):
        yield Refused("“{name}” is no username of {network}.", network=NETWORK, name=wrong)
    place = str(draft.options.get("place") or "")
    if place and not PLACE_ID.fullmatch(place):
        yield Refused("“{name}” is no place of {network}'s: write its id.", network=NETWORK, name=place)
    community = str(draft.options.get("community") or "")
    if community and not COMMUNITY_ID.fullmatch(community):
        yield Refused("A Community of {network} is named by its number.", network=NETWORK)
    if draft.options.get("share_with_followers") and not community:
        yield Refused("Only a post in a Community can also be shared with followers.")


def people_in(options: Options) -> list[str]:
    """User names as X takes them: without the @ that people write."""
    tags = options.get("people", ())
    return [tag.removeprefix("@") for tag in tags] if isinstance(tags, tuple) else []


def status_in(url: str) -> str | None:
    """The id of a post in its address."""
    found = STATUS.search(url)
    return found[1] if found else None
