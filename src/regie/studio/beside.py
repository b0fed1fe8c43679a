"""The fields of a post's options, as the composer draws them: a set per network, and per account where they differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from django.urls import reverse

from regie.accounts.models import Account
from regie.core.sentences import in_words
from regie.media.models import File
from regie.networks import registry, text
from regie.networks.capabilities import Capabilities, Option, OptionKind
from regie.networks.options import Value, Values, barred, said, worded
from regie.studio import choices, options, posters
from regie.studio.choices import Known
from regie.studio.content import Content
from regie.studio.posters import Standing

On = Sequence[tuple[Account, Capabilities]]
"""The accounts that share a document, each with what it can do."""


UNKNOWN = Known()


@dataclass(frozen=True, slots=True)
class Field:
    """One option. ``where`` as in ``Content.options``; ``key`` of the document, as in forms.py.

    inner:     the options within it
    barred:    values that cannot be chosen now, with why
    undecided: what people read while nothing of the inner ones is chosen
    """

    key: str
    where: str
    option: Option
    value: Value | None
    choices: tuple[tuple[str, str], ...] = ()
    account: Account | None = None
    known: Known = UNKNOWN
    waits_for: str = ""  # the label of the option that has to be chosen first
    words: str = ""  # what was typed to find some of its choices
    inner: tuple[Field, ...] = ()
    barred: Mapping[str | bool, str] = field(default_factory=dict)
    undecided: str = ""

    @property
    def id(self) -> str:
        return f"{self.key}-opt-{self.where}-{self.option.name}"

    @property
    def label(self) -> str:
        return options.label_of(self.option)

    @property
    def label_with_links(self) -> str:
        return options.label_with_links(self.option)

    @property
    def help(self) -> str:
        return in_words(self.option.help)

    @property
    def kind(self) -> str:
        """How it is drawn and read again."""
        if self.option.kind is OptionKind.TAGS and (self.option.choices or self.option.theirs):
            return "several"
        return "on" if self.option.default is True else str(self.option.kind)

    @property
    def marker(self) -> str:
        within = f":{self.option.within}" if self.option.within else ""
        return f"{self.where}:{self.option.name}:{self.kind}{within}"

    @property
    def offer(self) -> str:
        """What it offers, in one word: drawn anew when that is another."""
        return f"{self.marker} {self.option.closed} {[choice.value for choice in self.option.choices]} "

    @property
    def look(self) -> str:
        """What it says beside its value, in one word."""
        said = f"{self.option.label}{self.option.help}{sorted(self.barred.values())}{self.undecided}"
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    @property
    def why_barred(self) -> str:
        """Why something of it cannot be chosen now: the switch itself, or one of its choices."""
        values = [True] if self.option.kind is OptionKind.SWITCH else [one for one, _label in self.choices]
        return next((in_words(self.barred[one]) for one in values if one in self.barred and not self._has(one)), "")

    @property
    def is_barred(self) -> bool:
        """Of a switch: it cannot be switched on."""
        return bool(self.option.closed or self.why_barred)

    @property
    def why(self) -> str:
        """Why it, or one of its choices, cannot be chosen."""
        return in_words(self.option.closed) or self.why_barred

    @property
    def barred_choices(self) -> list[str]:
        return [one for one, _label in self.choices if one in self.barred and not self._has(one)]

    def _has(self, value: str | bool) -> bool:
        return self.is_on if isinstance(value, bool) else value in self.chosen

    @property
    def every(self) -> tuple[Field, ...]:
        """It and those within it."""
        return (self, *(one for field in self.inner for one in field.every))

    @property
    def text(self) -> str:
        return ", ".join(self.value) if isinstance(self.value, list) else str(self.value or "")

    @property
    def chosen(self) -> tuple[str, ...]:
        return tuple(self.value) if isinstance(self.value, list) else (self.text,) if self.text else ()

    @property
    def is_on(self) -> bool:
        if self.option.closed:
            return False
        if self.value is None and any(one.is_on for one in self.inner):
            return True
        return bool(self.option.default if self.value is None else self.value)

    @property
    def missing(self) -> bool:
        return self.option.required and not self.chosen and not self.is_on

    @property
    def counted(self) -> bool:
        return self.longest is not None and self.option.kind in (OptionKind.LINE, OptionKind.TAGS)

    @property
    def longest(self) -> int | None:
        return self.option.total if self.option.kind is OptionKind.TAGS else self.option.longest

    @property
    def left(self) -> int:
        words = ",".join(self.value) if isinstance(self.value, list) else self.text
        return (self.longest or 0) - text.length(words.strip(), self.option.counting)

    @property
    def finds(self) -> bool:
        """Whether a person types words to find its choices."""
        return self.option.searched and not self.option.closed

    @property
    def found_nothing(self) -> bool:
        return bool(self.words) and self.known.choices == ()

    @property
    def is_loaded(self) -> bool:
        return not self.option.theirs or self.known.choices is not None

    @property
    def url(self) -> str:
        """Where its choices are asked for."""
        query = {"account": self.where, "option": self.option.name, "key": self.key}
        return f"{reverse('studio:choices')}?{urlencode(query)}"

    @property
    def trigger(self) -> str:
        """When: as soon as it is seen where nobody asked yet (fifty accounts are not asked at once), and when what its
        choices depend on is chosen anew."""
        at_once = not (
            self.is_loaded or self.known.problem or self.waits_for or self.option.searched or self.option.closed
        )
        # That option belongs to the account, or to all of its network's accounts.
        places = {self.where, self.account.network if self.account is not None else self.where}
        asked = ",".join(f"#{self.key}-opt-{one}-{self.option.after}" for one in sorted(places))
        # One trigger with both: htmx stops at the first trigger of an element that hears an event, even the wrong one.
        before = [f"change from:#{self.key}-beside target:{{{asked}}}"] if self.option.after else []
        return ", ".join([*(["intersect once"] if at_once else []), *before]) or "never"


@dataclass(frozen=True, slots=True)
class OfAccount:
    account: Account
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Everything that a network asks for beside the text. ``posters``: in whose name, where it wants that shown;
    ``last``: what stands above the button."""

    slug: str
    name: str
    fields: tuple[Field, ...]
    accounts: tuple[OfAccount, ...]
    posters: tuple[Standing, ...] = ()
    last: tuple[Field, ...] = ()

    @property
    def every(self) -> tuple[Field, ...]:
        drawn = (*self.fields, *(field for one in self.accounts for field in one.fields), *self.last)
        return tuple(one for field in drawn for one in field.every)

    @property
    def opened(self) -> bool:
        """Whether something has to be filled in, or is."""
        return any(field.option.required or field.value is not None for field in self.every)

    @property
    def missing(self) -> int:
        return sum(field.missing for field in self.every)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was chosen and is not drawn now: another format, an account that was taken off. It comes back with them."""

    name: str
    marker: str
    values: tuple[str, ...]


def groups(key: str, content: Content, on: On, files: Mapping[int, File]) -> tuple[Group, ...]:
    """The fields of a document, in the order of its accounts' networks."""
    by_network: dict[str, list[tuple[Account, Capabilities]]] = {}
    for account, can in on:
        by_network.setdefault(account.network, []).append((account, can))
    made = (_group(key, content, slug, accounts, files) for slug, accounts in by_network.items())
    return tuple(group for group in made if group.every)


def _group(key: str, content: Content, slug: str, on: On, files: Mapping[int, File]) -> Group:
    shared: dict[str, list[Option]] = {}
    own = []
    for account, can in on:
        there = options.offered(content, can, files)
        for option in there:
            if not options.of_an_account(option, can):
                shared.setdefault(option.name, []).append(option)
        fields = tuple(
            of_account(key, content, account, can, option) for option in there if options.of_an_account(option, can)
        )
        if fields:
            own.append(OfAccount(account, fields))
    values = content.options.get(slug, {})
    common = [_common(declared) for declared in shared.values()]
    fields = _nested([_shared(key, slug, option, common, values) for option in common])
    return Group(
        slug,
        registry.connector(slug).name,
        tuple(field for field in fields if not field.option.last),
        tuple(own),
        posters=tuple(posters.known(account) for account, _can in on if posters.presents(account)),
        last=tuple(field for field in fields if field.option.last),
    )


def _nested(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Each under the switch it belongs to, where that is offered too."""
    found = list(fields)
    names = {one.option.name for one in found}
    within: dict[str, list[Field]] = {}
    for one in found:
        within.setdefault(one.option.within if one.option.within in names else "", []).append(one)

    def whole(one: Field) -> Field:
        return replace(one, inner=tuple(whole(inner) for inner in within.get(one.option.name, ())))

    return tuple(whole(one) for one in within.get("", ()))


def _common(declared: Sequence[Option]) -> Option:
    """With the choices that all the accounts have; closed when it is on one of them."""
    first = declared[0]
    theirs = [{choice.value for choice in one.choices} for one in declared[1:]]
    return replace(
        first,
        choices=tuple(one for one in first.choices if all(one.value in have for have in theirs)),
        closed=next((one.closed for one in declared if one.closed), ""),
    )


def _shared(key: str, slug: str, option: Option, others: Sequence[Option], values: Values) -> Field:
    value = said(option, values.get(option.name))
    named = tuple((choice.value, in_words(choice.label)) for choice in option.choices)
    return Field(
        key,
        slug,
        worded(option, values),
        value,
        _with_chosen(named, value, dict(named)),
        barred=barred(option, others, values),
        undecided=options.undecided(option, others, values),
    )


def of_account(
    key: str,
    content: Content,
    account: Account,
    can: Capabilities,
    option: Option,
    *,
    asks: bool = False,
    words: str = "",
) -> Field:
    """A field that each account has for itself. ``asks``: the network is asked for choices that are not known; of an
    option that is searched, for those that ``words`` find."""
    chosen = strings(content.options_on(account.network, account.pk))
    value = said(option, content.options_on(account.network, account.pk).get(option.name))
    field = Field(key, str(account.pk), option, value, account=account, words=words if option.searched else "")
    if option.after and not chosen.get(option.after):
        first = next((options.label_of(one) for one in can.options if one.name == option.after), option.after)
        return replace(field, waits_for=first)
    asks = asks and (bool(field.words) if option.searched else option.asked)
    known = UNKNOWN if option.searched and not asks else choices.known(account, option, chosen, field.words)
    if known.choices is None and asks:
        known = choices.ask(account, option, chosen, field.words)
    named = tuple((choice.value, choice.label) for choice in known.choices or ())
    names = choices.names_of(account, option, field.chosen)
    return replace(field, known=known, choices=_with_chosen(named, value, names))


def strings(values: Mapping[str, Value]) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str)}


def _with_chosen(
    named: tuple[tuple[str, str], ...], value: Value | None, names: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """What was chosen stays visible when it is no longer, or not yet, among the choices."""
    there = {one for one, _label in named}
    chosen = value if isinstance(value, list) else [value] if isinstance(value, str) else []
    return (*named, *((one, names.get(one, one)) for one in chosen if one not in there))


def kept(key: str, content: Content, drawn: Iterable[Field]) -> tuple[Kept, ...]:
    """Hidden fields for what is not drawn."""
    shown = {(field.where, field.option.name) for field in drawn}
    return tuple(
        Kept(f"{key}-opt-{where}-{name}", f"{where}:{name}:{_kind_of(value)}", _values(value))
        for where, values in content.options.items()
        for name, value in values.items()
        if (where, name) not in shown
    )


def _kind_of(value: Value) -> str:
    if isinstance(value, bool):
        return "switch" if value else "on"
    return "several" if isinstance(value, list) else "line"


def _values(value: Value) -> tuple[str, ...]:
    if isinstance(value, bool):
        return ("on",) if value else ()
    return tuple(value) if isinstance(value, list) else (value,)
