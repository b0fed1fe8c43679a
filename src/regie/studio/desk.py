"""What the composer shows: the documents of a post, the accounts to choose from, and how it stands on each."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from zoneinfo import ZoneInfo

from django.utils.translation import get_language_info, pgettext_lazy
from django.utils.translation import gettext as _

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.core import clock
from regie.core.sentences import in_words
from regie.core.times import WallTime
from regie.media.models import File
from regie.networks import registry
from regie.networks.capabilities import Capabilities, Format
from regie.people.models import User, Workspace
from regie.studio import checks, options, prices
from regie.studio.beside import Field, Group, Kept, groups, kept
from regie.studio.checks import Finding, Level
from regie.studio.content import Content, MediaUse, Part, Poll
from regie.studio.models import Campaign, Post
from regie.studio.options import Seen
from regie.studio.services import NONE, Given, Written

LANGUAGES = ("ar", "cs", "de", "el", "en", "es", "fi", "fr", "it", "ja", "nl", "pl", "pt", "ru", "sv", "tr", "uk")
VISIBILITIES = {
    "public": pgettext_lazy("visibility", "Everybody"),
    "unlisted": pgettext_lazy("visibility", "Everybody, but not in public lists"),
    "private": pgettext_lazy("visibility", "Followers only"),
    "direct": pgettext_lazy("visibility", "Only people named in it"),
}
FORMATS = {
    Format.POST: pgettext_lazy("format", "Post"),
    Format.SHORT: pgettext_lazy("format", "Short video"),
    Format.STORY: pgettext_lazy("format", "Story"),
}
POLL_MINUTES = (5, 30, 60, 360, 720, 1440, 4320, 10080, 20160, 43200)
SHOWN_ROWS = 6  # accounts without problems that are listed before "and 44 more"


@dataclass(frozen=True, slots=True)
class Use:
    """A file in a part. ``alt`` as it will go out."""

    file: File | None
    number: int
    alt: str
    cut: bool = False
    cover: File | None = None
    captions: File | None = None
    language: str = ""
    as_video: bool = False
    moving: bool = False  # a sound that its network gets as a video

    @property
    def missing(self) -> bool:
        return self.file is None


@dataclass(frozen=True, slots=True)
class PartView:
    key: str
    number: int
    text: str
    uses: tuple[Use, ...]
    counters: tuple[tuple[str, str, int, int], ...]  # network, name, left, longest
    last: bool


@dataclass(frozen=True, slots=True)
class Document:
    """The shared text, or an account's own. ``key`` as in forms.py."""

    key: str
    account: Account | None
    content: Content
    parts: tuple[PartView, ...]
    shown: bool
    formats: tuple[tuple[str, object], ...] = ()  # those to choose from, with their names; none where there is one
    groups: tuple[Group, ...] = ()  # the options of its accounts' networks
    kept: tuple[Kept, ...] = ()
    commented: tuple[str, ...] = ()  # the networks among its own that take a first comment
    tools: tuple[str, ...] = ()  # what may be added to it: "thread", "poll"

    @property
    def offered(self) -> str:
        """The formats in one word, for the page to say which it shows."""
        return "-".join(value for value, _label in self.formats)

    @property
    def beside(self) -> str:
        """The same of what goes beside the text."""
        drawn = "".join(field.offer for group in self.groups for field in group.every if not field.option.last)
        posters = [one.account.pk for group in self.groups for one in group.posters]
        return hashlib.sha256(f"{drawn}{self.commented}{posters}".encode()).hexdigest()[:12]

    @property
    def fields(self) -> list[Field]:
        """Every option that it has, those above the button too."""
        return [field for group in self.groups for field in group.every]


@dataclass(frozen=True, slots=True)
class Declaration:
    """What stands above the button, of one network: what people agree to, and what they have to know."""

    slug: str
    name: str
    account: Account | None  # of a text of its own
    fields: tuple[Field, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Row:
    """How it stands on one account."""

    account: Account
    given: Given
    content: Content
    findings: tuple[Finding, ...]
    can: Capabilities
    network: str
    price: Decimal = Decimal(0)

    @property
    def stops(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level is Level.STOP]

    @property
    def advice(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level is Level.ADVICE]

    @property
    def custom(self) -> bool:
        return self.given.content is not None


@dataclass(frozen=True, slots=True)
class Preview:
    row: Row
    parts: tuple[tuple[str, tuple[Use, ...]], ...]
    content: Content
    template: str
    seen: Seen  # beside the text


class Desk:
    """One look at a post being written. Reads accounts and files in three queries, whatever their number."""

    def __init__(
        self,
        *,
        workspace: Workspace,
        written: Written,
        post: Post | None = None,
        version: int = 0,
        shown: str = "s",
        preview: int | None = None,
        focus: str = "",
    ) -> None:
        self.workspace, self.written, self.post, self.version = workspace, written, post, version
        self.shown = shown if shown == "s" or self._is_custom(shown) else "s"
        self.wanted_preview, self.focus = preview, focus

    def _is_custom(self, key: str) -> bool:
        return any(f"v{account}" == key and given.content for account, given in self.written.on.items())

    @cached_property
    def accounts(self) -> list[Account]:
        """Those that can be chosen: of the workspace, and those already on the post."""
        order = {slug: number for number, slug in enumerate(registry.slugs())}
        found = Account.objects.filter(workspace=self.workspace)
        there = [a for a in found if a.state != Account.State.REMOVED or a.pk in self.written.on]
        return sorted(there, key=lambda a: (order.get(a.network, 99), a.name.casefold(), a.pk))

    @cached_property
    def campaigns(self) -> list[Campaign]:
        """Those that can be chosen, and the one that is."""
        found = Campaign.objects.filter(workspace=self.workspace)
        return list(found.filter(archived_at=None) | found.filter(pk=self.written.campaign))

    @cached_property
    def groups(self) -> list[tuple[str, str, list[Account]]]:
        """(network, its name, its accounts), in the order people see networks."""
        made: dict[str, list[Account]] = {}
        for account in self.accounts:
            made.setdefault(account.network, []).append(account)
        return [(slug, registry.connector(slug).name, accounts) for slug, accounts in made.items()]

    @cached_property
    def files(self) -> dict[int, File]:
        numbers = set(self.written.content.file_ids)
        for given in self.written.on.values():
            numbers |= given.content.file_ids if given.content else set()
        return File.objects.filter(workspace=self.workspace).in_bulk(numbers) if numbers else {}

    @cached_property
    def rows(self) -> list[Row]:
        """The chosen accounts: those that stop it first, then those with their own text, then the others."""
        rows = [self._row(a, self.written.on[a.pk]) for a in self.accounts if a.pk in self.written.on]
        return sorted(rows, key=lambda row: (not row.stops, not row.custom, not row.given.by_hand))

    def _row(self, account: Account, given: Given) -> Row:
        content, can = given.content or self.written.content, capabilities_of(account)
        return Row(
            account=account,
            given=given,
            content=content,
            findings=tuple(checks.look_at(content, account, self.files, by_hand=given.by_hand)),
            can=can,
            network=registry.connector(account.network).name,
            price=Decimal(0) if given.by_hand else options.price(content, can, account, self.files),
        )

    @property
    def prices(self) -> list[str]:
        """What networks charge for it, a sentence each."""
        charged: dict[str, Decimal] = {}
        for row in self.rows:
            charged[row.network] = charged.get(row.network, Decimal(0)) + row.price
        return [prices.of_post(network, price) for network, price in charged.items() if price]

    @property
    def rows_first(self) -> list[Row]:
        important = [row for row in self.rows if row.stops or row.custom or row.given.by_hand]
        return self.rows[: max(SHOWN_ROWS, len(important))]

    @property
    def rows_more(self) -> list[Row]:
        return self.rows[len(self.rows_first) :]

    @property
    def stopped(self) -> int:
        return sum(bool(row.stops) for row in self.rows)

    @property
    def ready(self) -> bool:
        return bool(self.rows) and not self.stopped

    @cached_property
    def documents(self) -> list[Document]:
        made = [self._document("s", None, self.written.content)]
        made.extend(
            self._document(f"v{row.account.pk}", row.account, row.given.content)
            for row in self.rows
            if row.given.content is not None
        )
        return made

    def _document(self, key: str, account: Account | None, content: Content) -> Document:
        cans = self._cans(account)
        last = len(content.parts) - 1
        parts = tuple(
            PartView(
                key=f"{key}-{number}",
                number=number,
                text=part.text,
                uses=self.uses(part),
                counters=tuple(_counters(content, number, cans, self.files)),
                last=number == last,
            )
            for number, part in enumerate(content.parts)
        )
        on = [(row.account, row.can) for row in self._sharing(account)]
        found = groups(key, content, on, self.files)
        commented = dict.fromkeys(registry.connector(one.network).name for one, can in on if can.first_comment)
        return Document(
            key,
            account,
            content,
            parts,
            shown=key == self.shown,
            formats=self._formats(account, content),
            groups=found,
            kept=kept(key, content, (field for group in found for field in group.every)),
            commented=tuple(commented),
            tools=self._tools([can for _account, can in on]),
        )

    def _tools(self, cans: list[Capabilities]) -> tuple[str, ...]:
        """What its accounts take; while none is chosen, what any of the workspace's does."""
        cans = cans or [capabilities_of(account) for account in self.accounts]
        taken = {"thread": any(can.thread > 1 for can in cans), "poll": any(can.poll for can in cans)}
        return tuple(tool for tool, is_taken in taken.items() if is_taken)

    @cached_property
    def declarations(self) -> list[Declaration]:
        """One for each text and network that has something to say there; a network's note is said once."""
        found, noted = [], set()
        for document in self.documents:
            notes = {row.account.network: row.can.note for row in self._sharing(document.account)}
            last = {group.slug: group.last for group in document.groups}
            for slug, note in notes.items():
                words = in_words(note) if slug not in noted else ""
                noted |= {slug} if note else set()
                if words or last.get(slug):
                    name = registry.connector(slug).name
                    found.append(Declaration(slug, name, document.account, last.get(slug, ()), words))
        return found

    @property
    def declared(self) -> str:
        """The same in one word, for the page to say which it shows."""
        drawn = [(one.slug, one.note, [field.offer + field.look for field in one.fields]) for one in self.declarations]
        return hashlib.sha256(str(drawn).encode()).hexdigest()[:12]

    @property
    def undecided(self) -> str:
        """Why the buttons that publish wait: a choice was begun and not made."""
        fields = (field for document in self.documents for field in document.fields)
        return next((field.undecided for field in fields if field.undecided), "")

    def _sharing(self, account: Account | None) -> list[Row]:
        """The rows of a document: its account's, or of all that share it, in the order people see networks."""
        rows = [row for row in self.rows if (row.account == account if account else not row.custom)]
        order = {one.pk: number for number, one in enumerate(self.accounts)}
        return sorted(rows, key=lambda row: order[row.account.pk])

    def _formats(self, account: Account | None, content: Content) -> tuple[tuple[str, object], ...]:
        """What the accounts of a document offer beside the ordinary post, and what is chosen already."""
        cans = [row.can for row in self._sharing(account)]
        offered = {Format.POST, content.format, *(form for can in cans for form in can.formats)}
        return tuple((str(form), FORMATS[form]) for form in Format if form in offered) if len(offered) > 1 else ()

    def _cans(self, account: Account | None) -> list[tuple[str, Capabilities]]:
        """The limits that count for a document: its account's, or one per network of those that share it."""
        if account is not None:
            return [(account.network, capabilities_of(account))]
        shared = [row for row in self.rows if not row.custom]
        strictest: dict[str, Capabilities] = {}
        for row in shared:
            there = strictest.get(row.account.network)
            if there is None or row.can.text.longest < there.text.longest:
                strictest[row.account.network] = row.can
        return list(strictest.items())

    def uses(self, part: Part) -> tuple[Use, ...]:
        return tuple(self._use(use) for use in part.media)

    def _use(self, use: MediaUse) -> Use:
        file = self.files.get(use.file)
        alt = use.alt if use.alt is not None else (file.alt if file else "")
        cover, captions = (self.files.get(number or 0) for number in (use.cover, use.captions))
        language = use.language or (captions.language if captions else "")
        return Use(file, use.file, alt, use.cut, cover, captions, language, use.as_video)

    @cached_property
    def preview(self) -> Preview | None:
        if not self.rows:
            return None
        shown = int(self.shown[1:]) if self.shown != "s" else None
        wanted = self.wanted_preview or shown
        first = next(account.pk for account in self.accounts if account.pk in self.written.on)
        by_account = {row.account.pk: row for row in self.rows}
        row = by_account.get(wanted or first, by_account[first])
        sent = checks.as_sent(row.content, row.can)
        return Preview(
            row=row,
            parts=tuple((part.text.strip(), _as_shown(self.uses(part), row.can)) for part in sent.parts),
            content=sent,
            template=f"studio/looks/{row.account.network}.html",
            seen=options.seen(sent, row.account, row.can, self.files),
        )

    @property
    def has(self) -> dict[str, bool]:
        """Which options at least one account of the workspace can use; the others are not offered."""
        cans = [capabilities_of(account) for account in self.accounts]
        return {
            "question": any(can.poll and can.poll.longest_question for can in cans),
            "quiz": any(can.poll and can.poll.quiz for can in cans),
            "warning": any(can.content_warning for can in cans),
            "sensitive": any(can.sensitive for can in cans),
            "visibility": any(can.visibility for can in cans),
            "languages": any(can.languages for can in cans),
        }

    @cached_property
    def colleagues(self) -> list[User]:
        return list(User.objects.filter(memberships__workspace=self.workspace, is_active=True).order_by("name"))

    @property
    def summary(self) -> list[tuple[str, str, int]]:
        """(network, its name, how many of its accounts are chosen)."""
        return [
            (slug, name, many)
            for slug, name, accounts in self.groups
            if (many := sum(account.pk in self.written.on for account in accounts))
        ]

    @property
    def languages(self) -> list[tuple[str, str]]:
        return [(code, _language(code)) for code in _with(LANGUAGES, self.workspace.language)]

    @property
    def visibilities(self) -> list[tuple[str, object]]:
        return list(VISIBILITIES.items())

    @property
    def durations(self) -> list[tuple[int, str]]:
        return [(minutes, checks.span(timedelta(minutes=minutes))) for minutes in POLL_MINUTES]


def _as_shown(uses: Iterable[Use], can: Capabilities) -> tuple[Use, ...]:
    """As a network shows them: a sound that it does not take is a video of its cover and itself."""
    return tuple(
        replace(use, moving=True)
        if use.file and use.file.is_sound and use.as_video and use.cover and can.sounds is None
        else use
        for use in uses
    )


def _counters(
    content: Content, number: int, cans: Iterable[tuple[str, Capabilities]], files: checks.Files
) -> Iterable[tuple[str, str, int, int]]:
    for slug, can in cans:
        counter = checks.counters(content, can, files)[number]
        yield slug, registry.connector(slug).name, counter.left, counter.longest


def _with(codes: Iterable[str], code: str) -> list[str]:
    return sorted({*codes, code.split("-")[0]} - {""})


def _language(code: str) -> str:
    try:
        return str(get_language_info(code)["name_local"]).capitalize()
    except KeyError:
        return code


@dataclass(frozen=True, slots=True)
class When:
    """What a chosen date and time mean. ``tone``: info, warn or bad; ``ok`` when it can be scheduled for."""

    said: str
    tone: str
    ok: bool
    at: WallTime | None = None


def when(date: str, time: str, zone: str) -> When | None:
    """The sentence beside the date and time fields; None while one of them is empty."""
    if not date or not time:
        return None
    try:
        at = WallTime(datetime.fromisoformat(f"{date}T{time}").replace(second=0, tzinfo=None), zone)
    except ValueError:
        return When(_("This is not a date, a time and a time zone we know."), "bad", ok=False)
    local = at.utc.astimezone(ZoneInfo(zone))
    if at.utc <= clock.now():
        return When(_("This time has passed: choose a later one, or publish now."), "bad", ok=False, at=at)
    if at.is_missing:
        said = _("Clocks go forward that night and skip this hour in {zone}: it goes out at {time}.")
        return When(said.format(zone=zone, time=f"{local:%H:%M}"), "warn", ok=True, at=at)
    if at.is_doubled:
        said = _("Clocks go back that night and show this hour twice in {zone}: the first of the two is meant.")
        return When(said.format(zone=zone), "warn", ok=True, at=at)
    return When("", "info", ok=True, at=at)


def arranged(written: Written, do: str, picked: Iterable[int] = ()) -> tuple[Written, str, str]:
    """The post after one action on its structure, which document is then shown, and which field has the focus.

    Actions: ``add-part:s``, ``drop-part:s-2``, ``up-part:s-2``, ``media:s-0``, ``drop-media:s-0:7``,
    ``up-media:s-0:7``, ``cover:s-0:7``, ``drop-cover:s-0:7``, ``captions:s-0:7``, ``drop-captions:s-0:7``, ``poll:s``,
    ``drop-poll:s``, ``option:s``, ``drop-option:s-2``, ``customise:12``, ``share:12``, ``show:v12``.
    One that makes no sense changes nothing.
    """
    verb, _colon, rest = do.partition(":")
    if verb == "customise":
        return _customised(written, rest)
    if verb == "share":
        return _shared(written, rest), "s", ""
    if verb == "show":
        return written, rest, ""
    where, _colon, extra = rest.partition(":")
    key, _dash, index = where.partition("-")
    content = _content(written, key)
    if content is None:
        return written, "s", ""
    number = int(index) if index.isdigit() else 0
    changed, focus = _changed(content, verb, key, number, extra, list(picked))
    return _put(written, key, changed), key, focus


def _content(written: Written, key: str) -> Content | None:
    if key == "s":
        return written.content
    given = written.on.get(int(key[1:])) if key[1:].isdigit() else None
    return given.content if given else None


def _put(written: Written, key: str, content: Content) -> Written:
    if key == "s":
        return replace(written, content=content)
    account = int(key[1:])
    return replace(written, on={**written.on, account: replace(written.on[account], content=content)})


def _customised(written: Written, account: str) -> tuple[Written, str, str]:
    number = int(account) if account.isdigit() else 0
    if number not in written.on:
        return written, "s", ""
    own = written.on[number].content or written.content.model_copy(deep=True)
    return _put(written, f"v{number}", own), f"v{number}", f"v{number}-0-text"


def _shared(written: Written, account: str) -> Written:
    number = int(account) if account.isdigit() else 0
    if number not in written.on:
        return written
    return replace(written, on={**written.on, number: replace(written.on[number], content=None)})


def _changed(content: Content, verb: str, key: str, number: int, extra: str, picked: list[int]) -> tuple[Content, str]:
    """The content after the verb, and the id of the field to focus."""
    parts = [part.model_copy(deep=True) for part in content.parts]
    poll = content.poll.model_copy(deep=True) if content.poll else None
    focus = ""
    there = number < len(parts)
    if verb == "add-part" and len(parts) < 50:
        parts.append(Part())
        focus = f"{key}-{len(parts) - 1}-text"
    elif verb == "drop-part" and there and len(parts) > 1:
        del parts[number]
        focus = f"{key}-{min(number, len(parts) - 1)}-text"
    elif verb == "up-part" and 0 < number < len(parts):
        parts[number - 1], parts[number] = parts[number], parts[number - 1]
        focus = f"{key}-{number - 1}-text"
    elif verb == "media" and there:
        known = {use.file for use in parts[number].media}
        parts[number].media += [MediaUse(file=file) for file in dict.fromkeys(picked) if file not in known]
        focus = f"{key}-{number}-text"
    elif verb in GOES_WITH and there:
        parts[number].media = _with_it(parts[number].media, verb, int(extra) if extra.isdigit() else 0, picked)
        focus = f"{key}-{number}-text"
    elif verb in ("drop-media", "up-media") and there:
        parts[number].media = _media(parts[number].media, verb, int(extra) if extra.isdigit() else 0)
        focus = f"{key}-{number}-text"
    elif verb == "poll":
        poll = poll or Poll(options=["", ""], minutes=1440)
        focus = f"{key}-option-0"
    elif verb == "drop-poll":
        poll, focus = None, f"{key}-0-text"
    elif verb == "option" and poll and len(poll.options) < 12:
        poll.options.append("")
        focus = f"{key}-option-{len(poll.options) - 1}"
    elif verb == "drop-option" and poll and len(poll.options) > 2 and number < len(poll.options):
        del poll.options[number]
        if poll.correct is not None and poll.correct >= number:
            poll.correct = None if poll.correct == number else poll.correct - 1
        focus = f"{key}-option-{min(number, len(poll.options) - 1)}"
    return content.model_copy(update={"parts": parts, "poll": poll}), focus


GOES_WITH = ("cover", "captions", "drop-cover", "drop-captions")


def _with_it(uses: list[MediaUse], verb: str, file: int, picked: list[int]) -> list[MediaUse]:
    """The uses with another cover or other subtitles for one of them, or without."""
    name = verb.removeprefix("drop-")
    chosen = picked[0] if picked and name == verb else None
    if chosen is None and name == verb:
        return uses
    return [use.model_copy(update={name: chosen}) if use.file == file else use for use in uses]


def _media(uses: list[MediaUse], verb: str, file: int) -> list[MediaUse]:
    at = next((number for number, use in enumerate(uses) if use.file == file), None)
    if at is None:
        return uses
    if verb == "drop-media":
        return [use for use in uses if use.file != file]
    if at > 0:
        uses[at - 1], uses[at] = uses[at], uses[at - 1]
    return uses


def written_from(post: Post) -> Written:
    """A saved post as the composer opens it."""
    variants = post.variants.filter(dropped_at=None).order_by("pk")
    on: Mapping[int, Given] = {
        v.account_id: Given(v.document if v.content is not None else None, v.by_hand, v.assignee_id) for v in variants
    }
    return Written(content=post.document, on=on, title=post.title, campaign=post.campaign_id or NONE)
