"""What a network takes, gives and forbids, as data.

The composer, the checks, the docs' table, the API and the tests all read this one declaration, so nothing can be
promised that is not there. What a network lacks is declared absent: ``None``, ``False`` or an empty set.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Counting(StrEnum):
    """How a vendor counts a text's length."""

    CHARACTERS = "characters"  # Unicode code points
    GRAPHEMES = "graphemes"  # what a person sees as one character
    UTF16 = "utf16"  # UTF-16 code units, as JavaScript and TikTok count: most emoji are two or more
    MASTODON = "mastodon"  # graphemes; a link counts 23, of a remote mention only the local part counts
    X = "x"  # weighted: a link counts 23, an emoji 2, characters beyond the Latin and a few more alphabets 2
    EMOJI_BYTES = "emoji_bytes"  # Unicode code points; an emoji counts its bytes of UTF-8 (Threads)


class Format(StrEnum):
    """What a post is on its network."""

    POST = "post"
    SHORT = "short"  # a short vertical video: Reel, Short
    STORY = "story"  # seen for a day


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLimit:
    """``longest`` in units of ``counting``; ``longest_bytes`` of UTF-8, when the vendor also limits that."""

    longest: int
    counting: Counting = Counting.CHARACTERS
    longest_bytes: int | None = None
    longest_with_media: int | None = None  # a caption's limit, where it differs
    longest_with_video: int | None = None  # that of a video's, where it differs again


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimit:
    """Still pictures of one post. ``largest_bytes`` per picture, ``largest_pixels`` = width x height."""

    most: int
    largest_bytes: int
    types: tuple[str, ...]
    largest_pixels: int | None = None
    longest_side: int | None = None
    longest_alt: int | None = None  # None: the network has no alternative text
    side_sum: int | None = None  # width + height, where the vendor limits that (Telegram)
    widest_ratio: float | None = None  # long side / short side
    tallest: float | None = None  # width / height, at least
    broadest: float | None = None  # width / height, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoLimit:
    """Videos of one post. Ratios are width / height; ``longest_side`` in pixels; ``largest_bytes`` per video."""

    largest_bytes: int
    longest: timedelta
    most: int = 1
    types: tuple[str, ...] = ("video/mp4",)
    shortest: timedelta | None = None
    narrowest_ratio: float | None = None
    widest_ratio: float | None = None
    longest_side: int | None = None
    longest_alt: int | None = None  # None: the network has no alternative text for videos
    codecs: tuple[str, ...] = ("h264",)
    audio_codecs: tuple[str, ...] = ("aac",)
    cover: ImageLimit | None = None  # a picture of our own stands for it; None: at most a moment of the video
    captions: tuple[str, ...] = ()  # types of subtitle files that go with it: "application/x-subrip", "text/vtt"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLimit:
    """Documents of one post: files that the reader opens or turns over. ``largest_bytes`` per document."""

    largest_bytes: int
    types: tuple[str, ...] = ("application/pdf",)
    most: int = 1
    most_pages: int | None = None  # of a PDF


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundLimit:
    """Sounds of one post: a piece of music, an episode. ``largest_bytes`` per sound."""

    largest_bytes: int
    types: tuple[str, ...] = ("audio/mpeg",)
    most: int = 1
    longest: timedelta | None = None


class OptionKind(StrEnum):
    """What an option holds, in ``Outgoing.options`` and in the API."""

    LINE = "line"  # str: a short text
    LINK = "link"  # str: an http or https address
    TAGS = "tags"  # tuple[str, ...]: words, names or ids
    CHOICE = "choice"  # str: the value of one of its choices
    SWITCH = "switch"  # bool
    MOMENT = "moment"  # str: a day and an hour by the clock of the place, "2030-03-01T18:00"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of an option's choices: what the network is told, and what people read (English, translated where shown)."""

    value: str
    label: str


class Shows(StrEnum):
    """As what readers see an option, where they see it at all."""

    TITLE = "title"
    LINK = "link"  # an address to follow
    MARK = "mark"  # a small sign beside the post: paid partnership, a flair
    LINE = "line"  # "Place: Lyon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Words inside an option's label that lead to a page: ``{name}`` stands there for ``words``."""

    name: str
    words: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """What an option says instead while all of ``when`` holds: (another option, or itself, and its value) each."""

    when: tuple[tuple[str, str | bool], ...]
    label: str = ""  # "": as otherwise
    help: str = ""
    shown_as: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """``value`` of the option that declares it cannot go with ``its`` value of ``option``. ``said``: why."""

    value: str | bool
    option: str
    its: str | bool
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One more thing that a post may or must say on this network: a title, a board, who may see it, a disclosure.

    name:     its key in ``Outgoing.options``; the same thing has the same name on every network ("title", "link",
              "tags", "privacy", "place", "people", "collaborators", "paid_partnership", "made_with_ai", ...)
    label:    what people read beside the field, English, translated where it is shown; ``help`` a sentence below it
    required: nothing goes out without it; of a switch: it must be on
    longest:  of a line, a link or one tag, in units of ``counting``
    total:    of all tags together with a comma between them
    most:     tags
    asked:    the choices come from the network while a person chooses: ``Chooses.choices``. Otherwise ``choices``
    searched: there are too many to list, so a person types words and the network finds some: ``Searches.search``
    after:    the option that has to be chosen first, whose value ``Chooses.choices`` needs (a flair's community)
    default:  what is chosen to begin with; "" or False: nothing, which the vendor may demand (TikTok's privacy)
    formats:  the formats it belongs to
    only_with: "picture", "video", or "" for whatever the post holds
    links:    pages that words of the label lead to
    sayings:  what it says instead while other options hold something; the first that applies
    clashes:  which of its values go with no certain value of another option
    within:   the switch that it belongs under: it is offered when that one is on, and chosen, it counts as on
    needs_one: of such a switch: what people read while nothing within it is chosen; until then nothing goes out
    closed:   why this account cannot use it now, a sentence; "": it can
    last:     it stands right above the button that publishes
    shows:    as what readers see it, for the preview; None: they do not
    shown_as: the words of a mark, where readers see others than the label
    """

    name: str
    kind: OptionKind
    label: str
    help: str = ""
    required: bool = False
    longest: int | None = None
    counting: Counting = Counting.CHARACTERS
    total: int | None = None
    most: int | None = None
    choices: tuple[Choice, ...] = ()
    asked: bool = False
    searched: bool = False
    after: str = ""
    default: str | bool = ""
    formats: tuple[Format, ...] = (Format.POST, Format.SHORT, Format.STORY)
    only_with: str = ""
    links: tuple[Link, ...] = ()
    sayings: tuple[Saying, ...] = ()
    clashes: tuple[Clash, ...] = ()
    within: str = ""
    needs_one: str = ""
    closed: str = ""
    last: bool = False
    shows: Shows | None = None
    shown_as: str = ""

    @property
    def theirs(self) -> bool:
        """Whether only the network knows its choices, and how they are called."""
        return self.asked or self.searched


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Permissions of a vendor that an installation asks people for only where its operator wants what they are for.

    name:   its key in ``AppKeys.extra`` and in forms; label, help: what people read, English, translated where shown
    login:  the word of the login whose app asks for them: ``NeedsApp.logins``
    """

    name: str
    login: str
    label: str
    help: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PollLimit:
    fewest_options: int = 2
    most_options: int
    longest_option: int
    longest_question: int | None = None  # None: the post's text is the question
    shortest: timedelta | None = None  # None, with longest None: the poll stays open until somebody closes it
    longest: timedelta | None = None
    multiple: bool = False
    hide_totals: bool = False
    quiz: bool = False  # one answer is right, and people are told
    longest_explanation: int | None = None  # what a quiz shows after a wrong answer; None: nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatable:
    """The network honours our key: the same request again within ``for_`` is the same post (None: for ever)."""

    for_: timedelta | None
    then: Search | None = None  # how to find out once that time has run out


@dataclass(frozen=True, slots=True, kw_only=True)
class AskStatus:
    """A container, upload or publish id, saved by ``prepare``, can be asked what became of it.

    then: how to find out where no id was saved, as after a restore; None: the account's listing does not hold all posts
    """

    then: Search | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The account's recent posts can be listed; a new one shows there within ``visible_within``."""

    visible_within: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class NobodyKnows:
    """The network offers no way to find out. Never sent again by itself; a person settles it."""


Repeat = Repeatable | AskStatus | Search | NobodyKnows


class MessageKind(StrEnum):
    REPLY = "reply"  # an answer to one of our posts, or further down its thread
    COMMENT = "comment"  # under our post, where the network keeps comments apart from posts
    MENTION = "mention"  # somebody names us in a post of their own
    DIRECT = "direct"  # a private message
    REVIEW = "review"  # what somebody says of the place or the page as a whole, with stars


class Answering(StrEnum):
    REPLY = "reply"
    LIKE = "like"
    DELETE_OWN = "delete_own"
    HIDE = "hide"  # a comment of somebody's under our post, from everybody but them
    DELETE = "delete"  # a comment of somebody's under our post, for good


class Arrival(StrEnum):
    """How messages reach us."""

    POLL = "poll"
    STREAM = "stream"
    LONG_POLL = "long_poll"
    WEBHOOK = "webhook"


class SignIn(StrEnum):
    OAUTH = "oauth"
    APP_PASSWORD = "app_password"  # noqa: S105 - the name of a way
    BOT_TOKEN = "bot_token"  # noqa: S105
    ACCESS_KEY = "access_key"  # made on the network's own pages, and pasted here


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most ``limit`` points of ``name`` in any window of ``per``; ``cost`` maps one of our calls to points.

    shared: all accounts of what ``SharesQuota.quota_key`` names (a bot, an app) are counted together
    """

    name: str
    limit: int
    per: timedelta
    cost: tuple[tuple[str, int], ...] = (("publish", 1),)
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """The one declaration of what a connector can do on an account."""

    text: TextLimit
    repeat: Repeat
    sign_in: tuple[SignIn, ...]
    text_required: bool = False  # a picture alone is not enough
    links: bool = True  # links in the text can be followed by the reader
    link_card: bool = False  # a link is shown as a card with title and picture
    images: ImageLimit | None = None
    video: VideoLimit | None = None  # in an ordinary post
    mixed_media: bool = False  # pictures and videos in one post
    media_required: bool = False  # an ordinary post needs a picture or a video
    short: VideoLimit | None = None  # a short vertical video: one alone
    story_images: ImageLimit | None = None
    story_video: VideoLimit | None = None
    ahead: bool = True  # files are handed over before the hour; False: only at the hour, and so it shows a little later
    fetches_media: bool = False  # the network fetches files itself, from a public address that we give
    documents: DocumentLimit | None = None
    sounds: SoundLimit | None = None
    options: tuple[Option, ...] = ()
    note: str = ""  # what people read above the button before anything goes out there, a sentence
    poll: PollLimit | None = None
    poll_with_media: bool = False
    thread: int = 1  # most parts of a chained post; 1: no threads
    first_comment: bool = False  # an answer to our own post stands under it as a comment
    comment: TextLimit | None = None  # of such a comment; None: as the text
    direct: TextLimit | None = None  # of an answer to a private message; None: as the text
    content_warning: TextLimit | None = None
    sensitive: bool = False  # pictures can be covered until the reader uncovers them
    visibility: tuple[str, ...] = ()
    languages: bool = False
    edit: bool = False
    edits: tuple[str, ...] = ()  # options that an edit changes beside the text, by their names
    edit_comment: bool = False  # where posts can be changed, their first comments can be, too
    delete: bool = False
    delete_within: timedelta | None = None
    reads: frozenset[MessageKind] = frozenset()
    answers: frozenset[Answering] = frozenset()
    unanswered: frozenset[MessageKind] = frozenset()  # of what it reads, what Answering.REPLY is not for
    arrival: tuple[Arrival, ...] = ()
    post_metrics: tuple[str, ...] = ()  # names from metrics.py
    account_metrics: tuple[str, ...] = ()
    quotas: tuple[Quota, ...] = ()
    in_flight: int = 1  # requests at once per account
    permalink: bool = True  # False: a published post may have no public address (a private chat)

    @property
    def story(self) -> bool:
        return self.story_images is not None or self.story_video is not None

    def images_in(self, form: Format) -> ImageLimit | None:
        """The pictures that a post of this format takes."""
        return {Format.POST: self.images, Format.SHORT: None, Format.STORY: self.story_images}[form]

    def video_in(self, form: Format) -> VideoLimit | None:
        """The videos that a post of this format takes."""
        return {Format.POST: self.video, Format.SHORT: self.short, Format.STORY: self.story_video}[form]

    @property
    def formats(self) -> tuple[Format, ...]:
        """The formats it takes, the ordinary post first."""
        short = (Format.SHORT,) if self.short is not None else ()
        return (Format.POST, *short, *((Format.STORY,) if self.story else ()))
