"""What Reddit takes. Sources: NOTES.md."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from regie.networks.capabilities import (
    Answering,
    Arrival,
    Capabilities,
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
from regie.networks.data import Draft, Json
from regie.networks.errors import Refused

NETWORK = "Reddit"
LONGEST_COMMENT = 10_000
CAPTION = 180  # below a picture of a gallery; Reddit's client library refuses longer ones too
COMMUNITY = re.compile(r"(?:https?://(?:www\.|old\.)?reddit\.com)?/?(?:(r|u|user)/)?([A-Za-z0-9][\w-]{1,22})/?")

PICTURES = ImageLimit(most=20, largest_bytes=20_000_000, types=("image/jpeg", "image/png", "image/gif"))
VIDEO = VideoLimit(
    largest_bytes=1_000_000_000,
    longest=timedelta(minutes=15),
    types=("video/mp4", "video/quicktime"),
    shortest=timedelta(seconds=2),
    cover=replace(PICTURES, most=1, types=("image/jpeg", "image/png")),
)
OPTIONS = (
    Option(
        name="community",
        kind=OptionKind.LINE,
        label="Community",
        help="Its name, such as r/france; or the account's own profile, such as u/name.",
        required=True,
        longest=60,
    ),
    Option(name="title", kind=OptionKind.LINE, label="Title", required=True, longest=300, shows=Shows.TITLE),
    Option(
        name="link",
        kind=OptionKind.LINK,
        label="Link",
        help="The post is this link; the text stands below it.",
        longest=2000,
        shows=Shows.LINK,
    ),
    Option(
        name="flair",
        kind=OptionKind.CHOICE,
        label="Flair",
        help="Some communities take no post without one.",
        asked=True,
        after="community",
        shows=Shows.MARK,
    ),
    Option(
        name="nsfw",
        kind=OptionKind.SWITCH,
        label="For adults only (NSFW)",
        default=False,
        shows=Shows.MARK,
        shown_as="NSFW",
    ),
    Option(name="spoiler", kind=OptionKind.SWITCH, label="Spoiler", default=False, shows=Shows.MARK),
    Option(
        name="captions",
        kind=OptionKind.SWITCH,
        label="Captions in the gallery",
        help="Below each of several pictures stands its alternative text, up to 180 characters.",
        only_with="picture",
    ),
    Option(
        name="outbound",
        kind=OptionKind.LINK,
        label="Link below each picture",
        help="In a gallery: of several pictures.",
        longest=2000,
        only_with="picture",
    ),
    Option(
        name="send_replies",
        kind=OptionKind.SWITCH,
        label="Comments come to the inbox",
        help="Without it Reddit does not tell of comments under the post.",
        default=True,
    ),
)
POST_METRICS = ("likes", "score", "upvote_ratio", "replies", "views", "votes")
ACCOUNT_METRICS = ("followers", "karma")
CAN = Capabilities(
    text=TextLimit(longest=40_000),
    comment=TextLimit(longest=LONGEST_COMMENT),
    direct=TextLimit(longest=LONGEST_COMMENT),
    repeat=Search(visible_within=timedelta(minutes=2)),
    sign_in=(SignIn.OAUTH,),
    link_card=True,
    images=PICTURES,
    video=VIDEO,
    options=OPTIONS,
    poll=PollLimit(
        most_options=6,
        longest_option=120,
        shortest=timedelta(days=1),
        longest=timedelta(days=7),
    ),
    first_comment=True,
    edit=True,
    edit_comment=True,
    delete=True,
    reads=frozenset({MessageKind.COMMENT, MessageKind.MENTION, MessageKind.DIRECT}),
    answers=frozenset({Answering.REPLY, Answering.LIKE, Answering.DELETE_OWN, Answering.HIDE}),
    arrival=(Arrival.POLL,),
    post_metrics=POST_METRICS,
    account_metrics=ACCOUNT_METRICS,
    quotas=(
        Quota(
            name="requests",
            limit=1000,
            per=timedelta(minutes=10),
            cost=(("publish", 1), ("edit", 2), ("delete", 1), ("like", 1), ("upload", 1), ("read", 2)),
            shared=True,
        ),
    ),
)


def can_on(limits: Json) -> Capabilities:
    """Without what the person left out on Reddit's page; hiding is for moderators."""
    scopes = limits.get("scopes")

    def granted(*needed: str) -> bool:
        return not scopes or set(needed) <= set(scopes)

    answers = set(CAN.answers)
    if not limits.get("moderates") or not granted("modposts"):
        answers.discard(Answering.HIDE)
    if not granted("vote"):
        answers.discard(Answering.LIKE)
    if not granted("edit"):
        answers.discard(Answering.DELETE_OWN)
    reads = CAN.reads if granted("privatemessages") else frozenset[MessageKind]()
    return replace(
        CAN,
        repeat=CAN.repeat if granted("history") else NobodyKnows(),
        edit=granted("edit", "read"),
        delete=granted("edit"),
        reads=reads,
        arrival=CAN.arrival if reads else (),
        answers=frozenset(answers) if reads else frozenset(),
    )


def community_of(typed: str) -> str:
    """A community as the API names it: ``france`` of r/france, ``u_name`` of u/name. Raises Refused."""
    found = COMMUNITY.fullmatch(typed.strip())
    if found is None:
        raise Refused(
            "{community} is not the name of a community on {network}: write r/name, or u/name for a profile.",
            community=typed,
            network=NETWORK,
        )
    return f"u_{found[2]}" if found[1] in ("u", "user") else found[2]


def objections(draft: Draft) -> tuple[Refused, ...]:
    """What excludes each other, and names that are none."""
    found = []
    is_link = bool(draft.options.get("link"))
    if is_link + bool(draft.pictures) + bool(draft.videos) + draft.poll > 1:
        found.append(one_of())
    below = draft.options.get("captions") or draft.options.get("outbound")
    if below and draft.pictures == 1:
        found.append(
            Refused("On {network} captions and links stand below the pictures of a gallery only.", network=NETWORK)
        )
    if (typed := str(draft.options.get("community") or "")) and not COMMUNITY.fullmatch(typed.strip()):
        try:
            community_of(typed)
        except Refused as refused:
            found.append(refused)
    return tuple(found)


def one_of() -> Refused:
    return Refused("A post on {network} is a link, pictures, a video or a poll: one of them.", network=NETWORK)
