"""What Threads takes. Sources: NOTES.md."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from regie.networks.capabilities import (
    Answering,
    Arrival,
    AskStatus,
    Capabilities,
    Choice,
    Counting,
    ImageLimit,
    MessageKind,
    Option,
    OptionKind,
    Permit,
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
from regie.networks.text import LINK

NETWORK = "Threads"
CAROUSEL = 20
MOST_LINKS = 5
DAY = timedelta(days=1)
COUNTRY = re.compile(r"[A-Z]{2}")

OPTIONS = (
    Option(
        name="link",
        kind=OptionKind.LINK,
        label="Link",
        help="Shown as a card below a text. Without it the first link of the text is.",
        longest=2000,
        shows=Shows.LINK,
    ),
    Option(name="topic", kind=OptionKind.LINE, label="Topic", help="One, without #.", longest=50, shows=Shows.MARK),
    Option(
        name="quote",
        kind=OptionKind.CHOICE,
        label="Post of yours to quote",
        help="One of the newest; it stands below yours.",
        asked=True,
        shows=Shows.LINE,
    ),
    Option(
        name="reply_settings",
        kind=OptionKind.CHOICE,
        label="Who can reply",
        choices=(
            Choice("everyone", "Everyone"),
            Choice("followers_only", "Your followers"),
            Choice("accounts_you_follow", "Accounts you follow"),
            Choice("mentioned_only", "Only accounts you mention"),
            Choice("parent_post_author_only", "Only the author of the post above"),
        ),
        default="everyone",
    ),
)
PLACE = Option(
    name="place",
    kind=OptionKind.CHOICE,
    label="Place",
    searched=True,
    longest=30,
    shows=Shows.LINE,
)
COUNTRIES = Option(
    name="countries",
    kind=OptionKind.TAGS,
    label="Only in these countries",
    help="Two letters each: FR, BE. Elsewhere nobody sees the post.",
    most=25,
    longest=2,
)
NO_COUNTRIES = "Threads lets only some accounts choose countries, and not this one."
PERMIT = Permit(
    name="places",
    login="threads",
    label="Places can be said",
    help="The sign-in then asks for one permission more, which Meta's review looks at; before it, only Menlo Park is "
    "found. Accounts that are connected already have to be connected again.",
    permissions=("threads_location_tagging",),
)
NO_PLACES = (
    "The operator of Régie first switches places on, below the keys of Threads' app; then this account is connected "
    "again."
)
POST_METRICS = ("likes", "replies", "shares", "quotes", "views")
ACCOUNT_METRICS = ("followers", "views_day")
CAN = Capabilities(
    text=TextLimit(longest=500, counting=Counting.EMOJI_BYTES),
    repeat=AskStatus(then=Search(visible_within=timedelta(minutes=2))),
    sign_in=(SignIn.OAUTH,),
    link_card=True,
    images=ImageLimit(
        most=CAROUSEL,
        largest_bytes=8 * 1024 * 1024,
        types=("image/jpeg", "image/png"),
        longest_side=1440,
        longest_alt=1000,
        widest_ratio=10.0,
    ),
    video=VideoLimit(
        largest_bytes=1_000_000_000,
        longest=timedelta(minutes=5),
        most=CAROUSEL,
        types=("video/mp4", "video/quicktime"),
        narrowest_ratio=0.01,
        widest_ratio=10.0,
        longest_side=1920,
        longest_alt=1000,
        codecs=("h264", "hevc"),
    ),
    mixed_media=True,
    fetches_media=True,
    options=(*OPTIONS, PLACE, COUNTRIES),
    poll=PollLimit(most_options=4, longest_option=25, shortest=DAY, longest=DAY),
    thread=20,
    first_comment=True,
    sensitive=True,
    delete=True,
    reads=frozenset({MessageKind.REPLY, MessageKind.MENTION}),
    answers=frozenset({Answering.REPLY, Answering.DELETE_OWN, Answering.HIDE}),
    arrival=(Arrival.POLL, Arrival.WEBHOOK),
    post_metrics=POST_METRICS,
    account_metrics=ACCOUNT_METRICS,
    quotas=(
        Quota(name="posts", limit=250, per=DAY, cost=(("publish", 1),)),
        Quota(name="deletions", limit=100, per=DAY, cost=(("delete", 1),)),
    ),
)


def can_on(limits: Json) -> Capabilities:
    """Without what the person left out on Meta's page; with the posts a day that Threads told us of."""
    scopes = limits.get("scopes")

    def granted(scope: str) -> bool:
        return not scopes or scope in scopes

    answers = set(CAN.answers)
    if not granted("threads_delete"):
        answers.discard(Answering.DELETE_OWN)
    if not granted("threads_manage_replies"):
        answers -= {Answering.REPLY, Answering.HIDE}
    may_say_places = scopes and set(PERMIT.permissions) <= set(scopes)  # few ask for it: untold is not granted
    posts = Quota(name="posts", limit=int(limits.get("posts_a_day") or 250), per=DAY)
    return replace(
        CAN,
        options=(
            *OPTIONS,
            PLACE if may_say_places else replace(PLACE, closed=NO_PLACES),
            COUNTRIES if limits.get("countries") else replace(COUNTRIES, closed=NO_COUNTRIES),
        ),
        delete=granted("threads_delete"),
        answers=frozenset(answers),
        quotas=(posts, *(quota for quota in CAN.quotas if quota.name != posts.name)),
    )


def objections(draft: Draft) -> tuple[Refused, ...]:
    found = []
    files = draft.pictures + draft.videos
    if draft.poll and files:
        found.append(Refused("A poll on {network} stands under a text alone.", network=NETWORK))
    if draft.options.get("link") and (files or draft.poll):
        found.append(Refused("A link of its own on {network} stands under a text alone.", network=NETWORK))
    wrong = next((one for one in countries(draft.options) if not COUNTRY.fullmatch(one)), None)
    if wrong is not None:
        found.append(Refused("“{name}” is no country: it takes two letters, as FR.", name=wrong))
    links = {one.casefold() for one in LINK.findall(draft.text)} | {str(draft.options.get("link") or "").casefold()}
    if len(links - {""}) > MOST_LINKS:
        found.append(Refused("{network} takes at most {most} links in a post.", network=NETWORK, most=MOST_LINKS))
    return tuple(found)


def countries(options: Options) -> list[str]:
    tags = options.get("countries", ())
    return [tag.upper() for tag in tags] if isinstance(tags, tuple) else []
