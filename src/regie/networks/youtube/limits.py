"""What YouTube takes. Sources: NOTES.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from regie.networks.capabilities import (
    Answering,
    Arrival,
    AskStatus,
    Capabilities,
    Choice,
    ImageLimit,
    MessageKind,
    Option,
    OptionKind,
    Quota,
    Shows,
    SignIn,
    TextLimit,
    VideoLimit,
)
from regie.networks.data import Draft, Json
from regie.networks.errors import Refused
from regie.networks.youtube.measuring import ACCOUNT_METRICS, POST_METRICS
from regie.networks.youtube.sign_in import MISSING
from regie.networks.youtube.wire import NETWORK

TITLE, TAGS = 100, 500
NEVER = "<>"  # the two characters that no title, description or tag may hold
DAY = timedelta(days=1)
NOTHING = MISSING["youtube.force-ssl"]
UNVERIFIED = timedelta(minutes=15)  # the longest video of a channel whose owner has not confirmed a telephone number

COVER = ImageLimit(most=1, largest_bytes=50 * 1024 * 1024, types=("image/jpeg", "image/png"), longest_side=3840)
VIDEO = VideoLimit(
    largest_bytes=256 * 1024**3,
    longest=timedelta(hours=12),
    types=("video/mp4", "video/quicktime", "video/webm"),
    codecs=("h264", "hevc", "vp8", "vp9", "av1"),
    audio_codecs=("aac", "mp3", "opus", "vorbis"),
    cover=COVER,
    captions=("application/x-subrip", "text/vtt"),
)
OPTIONS = (
    Option(name="title", kind=OptionKind.LINE, label="Title", required=True, longest=TITLE, shows=Shows.TITLE),
    Option(
        name="privacy",
        kind=OptionKind.CHOICE,
        label="Who can see it",
        required=True,
        default="public",
        choices=(
            Choice("public", "Everybody"),
            Choice("unlisted", "Everybody who has the link"),
            Choice("private", "Only you and people you invite"),
        ),
    ),
    Option(
        name="made_for_kids",
        kind=OptionKind.CHOICE,
        label="Is it made for children?",
        help="The law asks for an answer (COPPA in the United States). A video for children has no comments.",
        required=True,
        choices=(Choice("no", "No, it is not made for children"), Choice("yes", "Yes, it is made for children")),
    ),
    Option(
        name="made_with_ai",
        kind=OptionKind.SWITCH,
        label="Altered or synthetic content",
        help="It shows people, places or events that look real but were altered or made by a machine.",
        shows=Shows.MARK,
    ),
    Option(
        name="paid_partnership",
        kind=OptionKind.SWITCH,
        label="Paid promotion",
        help="Somebody paid, or gave something, for what the video shows.",
        shows=Shows.MARK,
        shown_as="Includes paid promotion",
    ),
    Option(
        name="tags",
        kind=OptionKind.TAGS,
        label="Tags",
        help="Words people search for. A tag with a space counts two characters more.",
        total=TAGS,
    ),
    Option(name="category", kind=OptionKind.CHOICE, label="Category", asked=True),
    Option(name="playlist", kind=OptionKind.CHOICE, label="Playlist", asked=True),
    Option(
        name="notify",
        kind=OptionKind.SWITCH,
        label="Tell subscribers",
        help="YouTube lets subscribers know of the new video.",
        default=True,
    ),
)
QUOTAS = (
    # A video's update and cover are 50 units each; captions (400) and a playlist (50) are seldom and not counted ahead.
    Quota(
        name="units",
        limit=10_000,
        per=DAY,
        cost=(("publish", 100), ("read", 3), ("delete", 50), ("like", 50)),
        shared=True,
    ),
    Quota(name="uploads", limit=100, per=DAY, cost=(("upload", 1),), shared=True),
)
CAN = Capabilities(
    text=TextLimit(longest=5000, longest_bytes=5000),
    repeat=AskStatus(),
    sign_in=(SignIn.OAUTH,),
    media_required=True,
    video=VIDEO,
    short=replace(VIDEO, longest=timedelta(minutes=3), widest_ratio=1.0, cover=None),
    options=OPTIONS,
    first_comment=True,
    comment=TextLimit(longest=10_000),
    languages=True,
    edit=True,
    edit_comment=True,
    edits=("title", "tags"),
    delete=True,
    reads=frozenset({MessageKind.COMMENT}),
    answers=frozenset({Answering.REPLY, Answering.DELETE_OWN, Answering.HIDE, Answering.DELETE}),
    arrival=(Arrival.POLL, Arrival.WEBHOOK),
    post_metrics=POST_METRICS,
    account_metrics=ACCOUNT_METRICS,
    quotas=QUOTAS,
)


def can_on(limits: Json) -> Capabilities:
    """Without the permission for it, a channel has no comments; one whose owner has not confirmed a telephone number
    takes quarters of an hour."""
    can = CAN
    if NOTHING in limits.get("missing", ()):
        can = replace(can, reads=frozenset(), answers=frozenset(), first_comment=False)
    if not limits.get("long_uploads", True):
        can = replace(can, video=replace(VIDEO, longest=UNVERIFIED))
    return can


def objections(limits: Json, draft: Draft) -> tuple[Refused, ...]:
    """A permission that is missing, and what the declaration cannot say of a text or an option."""
    if draft.part > 0:
        return ()
    found = [Refused(NOTHING)] if NOTHING in limits.get("missing", ()) else []
    tags = draft.options.get("tags", ())
    texts = (draft.text, draft.options.get("title", ""), *(tags if isinstance(tags, tuple) else ()))
    if any(sign in str(text) for text in texts for sign in NEVER):
        found.append(
            Refused(
                "{network} takes no “{first}” and no “{second}” in a title, a text or a tag.",
                network=NETWORK,
                first=NEVER[0],
                second=NEVER[1],
            )
        )
    if (over := tags_too_long_by(draft.options)) > 0:
        found.append(
            Refused(
                "The tags are {over} characters too long for {network}, where a tag with a space counts two more.",
                network=NETWORK,
                over=over,
            )
        )
    return tuple(found)


def tags_too_long_by(options: Mapping[str, object]) -> int:
    """As YouTube counts: a comma between two tags, and quotation marks around one that holds a space."""
    tags = options.get("tags", ())
    if not isinstance(tags, tuple) or not tags:
        return 0
    return max(0, sum(len(tag) + 2 * (" " in tag) for tag in tags) + len(tags) - 1 - TAGS)
