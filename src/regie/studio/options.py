"""What a post says on a network beside its text: its options, as the network declares them, and what is wrong there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.core.sentences import in_words
from regie.media.models import File
from regie.networks import registry, text
from regie.networks.capabilities import Capabilities, Option, OptionKind, Shows
from regie.networks.data import Draft
from regie.networks.options import TYPES, Value, Values, belongs, clashing, filled, said, worded
from regie.networks.protocols import Costs, Objects
from regie.studio.choices import names_of
from regie.studio.content import Content, MediaUse, Names, Part
from regie.studio.errors import NoSuchOption

Files = Mapping[int, File]


def option_of(account: Account, name: str) -> Option:
    """Raises NoSuchOption."""
    option = next((one for one in capabilities_of(account).options if one.name == name), None)
    if option is None:
        network = registry.connector(account.network).name
        raise NoSuchOption(_("{network} has no option “{name}”.").format(network=network, name=name))
    return option


def label_of(option: Option) -> str:
    """What people read, in their language."""
    return in_words(option.label, {link.name: in_words(link.words) for link in option.links})


def label_with_links(option: Option) -> SafeString:
    """The same for a page: some of its words lead to others."""
    if not option.links:
        return conditional_escape(label_of(option))
    link = '<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>'
    words = {one.name: format_html(link, one.url, in_words(one.words)) for one in option.links}
    return format_html(_(option.label), **words)


def switched_on(option: Option, options: Iterable[Option], values: Values) -> bool:
    """Of a switch: whether it is on, which something within it also says."""
    value = said(option, values.get(option.name))
    if value is None:
        value = option.default is True or any(
            said(one, values.get(one.name)) for one in options if one.within == option.name
        )
    return bool(value)


def undecided(option: Option, options: Iterable[Option], values: Values) -> str:
    """What people read while a switch is on and nothing within it is chosen; "" otherwise."""
    within = [one for one in options if one.within == option.name]
    if not option.needs_one or any(said(one, values.get(one.name)) for one in within):
        return ""
    return in_words(option.needs_one) if switched_on(option, within, values) else ""


def offered(content: Content, can: Capabilities, files: Files) -> list[Option]:
    """The options that this post has on an account, from its format and the files of its first part."""
    kinds = _kinds(content.parts[0], files, can)
    there = {"pictures": File.Kind.PICTURE in kinds, "videos": File.Kind.VIDEO in kinds}
    return [option for option in can.options if belongs(option, content.format, **there)]


def says_something(content: Content, account: Account, can: Capabilities) -> bool:
    """Whether an option holds words or an address: on some networks a title or a link is a whole post."""
    chosen, words = content.options_on(account.network, account.pk), (OptionKind.LINE, OptionKind.LINK)
    return any(option.kind in words and said(option, chosen.get(option.name)) for option in can.options)


def of_an_account(option: Option, can: Capabilities) -> bool:
    """Whether its choices differ from account to account, so that all accounts of a network cannot share one."""
    if option.theirs:
        return True
    before = next((one for one in can.options if one.name == option.after), None)
    return before is not None and of_an_account(before, can)


def _kinds(part: Part, files: Files, can: Capabilities) -> list[str]:
    """What the network gets: a sound that it does not take may go out as a video of itself and its cover."""
    return [_kind(use, files[use.file], can) for use in part.media if use.file in files]


def _kind(use: MediaUse, file: File, can: Capabilities) -> str:
    shown = file.is_sound and can.sounds is None and use.as_video and use.cover is not None
    return File.Kind.VIDEO if shown else file.kind


def drafts(content: Content, can: Capabilities, account: Account, files: Files) -> list[Draft]:
    """The parts of a post as a connector judges and prices them before they are sent; the first comment is none."""
    return [_draft(content, number, can, account, files) for number in range(len(content.parts))]


def _draft(content: Content, number: int, can: Capabilities, account: Account, files: Files) -> Draft:
    part = content.parts[number]
    kinds = _kinds(part, files, can)
    chosen = content.options_on(account.network, account.pk) if number == 0 else {}
    there = {"pictures": File.Kind.PICTURE in kinds, "videos": File.Kind.VIDEO in kinds}
    return Draft(
        text=part.text.strip(),
        format=content.format,
        options=filled(can.options, chosen, content.format, **there) if number == 0 else {},
        pictures=kinds.count("picture"),
        videos=kinds.count("video"),
        documents=kinds.count("document"),
        sounds=kinds.count("sound"),
        poll=content.poll is not None and number == 0,
        part=number,
        covers=sum(use.cover in files and files[use.file].is_video for use in part.media if use.file in files),
    )


def price(content: Content, can: Capabilities, account: Account, files: Files) -> Decimal:
    """What its network takes for publishing it on the account, in US dollars."""
    kind = registry.connector(account.network)
    if not issubclass(kind, Costs):
        return Decimal(0)
    comment = [Draft(text=content.first_comment.strip())] if content.first_comment.strip() else []
    return sum((kind.price(draft) for draft in [*drafts(content, can, account, files), *comment]), Decimal(0))


@dataclass(frozen=True, slots=True)
class Seen:
    """What readers see of a post beside its text."""

    title: str = ""
    link: str = ""
    marks: tuple[str, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()  # label, words


def seen(content: Content, account: Account, can: Capabilities, files: Files) -> Seen:
    """From what is declared as seen, and chosen."""
    chosen, names = content.options_on(account.network, account.pk), content.names.get(str(account.pk), {})
    found: dict[Shows, list[tuple[str, str]]] = {}
    for option in offered(content, can, files):
        value = said(option, chosen.get(option.name))
        if option.shows is None or value in (None, False) or option.closed:
            continue
        now = worded(option, chosen)
        label = in_words(now.shown_as) or label_of(now)
        read = label if value is True else words(account, now, value, names.get(option.name, {}))
        found.setdefault(option.shows, []).append((label, read))
    first = {way: pairs[0][1] for way, pairs in found.items()}
    return Seen(
        title=first.get(Shows.TITLE, ""),
        link=first.get(Shows.LINK, ""),
        marks=tuple(dict.fromkeys(read for _label, read in found.get(Shows.MARK, ()))),
        lines=tuple(found.get(Shows.LINE, ())),
    )


def told(
    account: Account, can: Capabilities, chosen: Mapping[str, Value], names: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, str]]:
    """What was chosen as people read it: (label, words), in the order of the declaration. ``names``: as it was saved
    with, by option and value."""
    return [
        (label_of(worded(option, chosen)), words(account, option, value, names.get(option.name, {})))
        for option in can.options
        if (value := said(option, chosen.get(option.name))) is not None
    ]


def words(account: Account, option: Option, value: Value, names: Mapping[str, str]) -> str:
    """A value as people read it. ``names``: of choices that only the network knows, where they are known already."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if option.kind is OptionKind.MOMENT and isinstance(value, str) and _is_a_moment(value):
        return date_format(datetime.fromisoformat(value), "SHORT_DATETIME_FORMAT")
    values = value if isinstance(value, list) else [value]
    labels: Mapping[str, str] = {choice.value: in_words(choice.label) for choice in option.choices}
    if option.theirs:
        labels = {**names_of(account, option, (one for one in values if one not in names)), **names}
    return ", ".join(labels.get(one, one) for one in values)


def named(content: Content, accounts: Iterable[Account]) -> Content:
    """With what the networks of ``accounts`` call the choices made on them, as far as they were ever asked."""
    names: Names = {}
    for account in accounts:
        chosen = content.options_on(account.network, account.pk)
        for option in capabilities_of(account).options if chosen else ():
            value = said(option, chosen.get(option.name)) if option.theirs else None
            values = value if isinstance(value, list) else [value] if isinstance(value, str) else []
            if found := names_of(account, option, values):
                names.setdefault(str(account.pk), {})[option.name] = found
    return content.model_copy(update={"names": names})


# What is wrong


def objections(content: Content, can: Capabilities, account: Account, files: Files) -> Iterable[tuple[str, int | None]]:
    """Sentences, each a reason why it cannot go out on the account, with the part of the thread it is about."""
    name = registry.connector(account.network).name
    chosen = content.options_on(account.network, account.pk)
    yield from ((said, None) for said in _unknown(content, chosen, can, name))
    there = offered(content, can, files)
    for option in there:
        yield from ((said, None) for said in _about(worded(option, chosen), chosen.get(option.name), name))
        if sentence := undecided(option, there, chosen):
            yield sentence, None
    yield from ((in_words(said), None) for said in clashing(there, chosen))
    kind = registry.connector(account.network)
    if issubclass(kind, Objects):
        for draft in drafts(content, can, account, files):
            part = draft.part if len(content.parts) > 1 else None
            yield from ((in_words(no.sentence, no.facts), part) for no in kind.objections(account.limits, draft))


def _unknown(content: Content, chosen: Mapping[str, Value], can: Capabilities, name: str) -> Iterable[str]:
    """What a program named and the network, or Régie, does not know. A person is offered only what there is."""
    declared = {option.name for option in can.options}
    for option in chosen:
        if option not in declared:
            yield _("{network} has no option “{name}”.").format(network=name, name=option)
    for where in content.options:
        if not where.isdigit() and where not in registry.slugs():
            yield _("There is no network “{name}”, for which options are set.").format(name=where)


def _about(option: Option, value: Value | None, name: str) -> Iterable[str]:
    label = label_of(option)
    if value is not None and not isinstance(value, TYPES[option.kind]):
        yield _("“{option}” for {network} is of another kind.").format(option=label, network=name)
        return
    value = said(option, value)
    if option.closed:
        if value is not None:
            yield _("“{option}” cannot be used on {network}. {why}").format(
                option=label, network=name, why=in_words(option.closed)
            )
        return
    if value is None and option.default not in ("", False):
        value = option.default
    if option.required and value in (None, False):
        yield _missing(option.kind).format(option=label, network=name)
    elif isinstance(value, list):
        yield from _about_tags(option, value, label, name)
    elif isinstance(value, str):
        yield from _about_words(option, value, label, name)


def _missing(kind: OptionKind) -> str:
    return {
        OptionKind.CHOICE: _("{network} needs “{option}”: choose one."),
        OptionKind.SWITCH: _("{network} needs “{option}”: switch it on."),
    }.get(kind, _("{network} needs “{option}”: fill it in."))


def _about_words(option: Option, value: str, label: str, name: str) -> Iterable[str]:
    if option.longest is not None and (over := text.length(value, option.counting) - option.longest) > 0:
        yield ngettext(
            "“{option}” for {network} is {over} character too long.",
            "“{option}” for {network} is {over} characters too long.",
            over,
        ).format(option=label, network=name, over=over)
    if option.kind is OptionKind.LINK and not _is_link(value):
        yield _("“{option}” for {network} is no address: it begins with https://.").format(option=label, network=name)
    if option.kind is OptionKind.MOMENT and not _is_a_moment(value):
        yield _("“{option}” for {network} is no day with an hour: write it as 2030-03-01T18:00.").format(
            option=label, network=name
        )
    if option.kind is OptionKind.CHOICE and not _is_a_choice(option, value):
        yield _("{network} does not have what you chose for “{option}”.").format(option=label, network=name)


def _is_link(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(one.isspace() for one in value)


def _is_a_moment(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is None
    except ValueError:
        return False


def _is_a_choice(option: Option, value: str) -> bool:
    """Those that the network is asked for are taken as they are: it may be away."""
    return option.theirs or value in {choice.value for choice in option.choices}


def _about_tags(option: Option, tags: list[str], label: str, name: str) -> Iterable[str]:
    if option.most is not None and len(tags) > option.most:
        yield _("{network} takes at most {most} in “{option}”; there are {there}.").format(
            network=name, most=option.most, option=label, there=len(tags)
        )
    for tag in tags:
        if option.longest is not None and (over := text.length(tag, option.counting) - option.longest) > 0:
            yield ngettext(
                "“{tag}” in “{option}” for {network} is {over} character too long.",
                "“{tag}” in “{option}” for {network} is {over} characters too long.",
                over,
            ).format(tag=tag, option=label, network=name, over=over)
        if option.choices and not _is_a_choice(option, tag):
            yield _("{network} does not have “{tag}” for “{option}”.").format(network=name, tag=tag, option=label)
    total = text.length(",".join(tags), option.counting)
    if option.total is not None and (over := total - option.total) > 0:
        yield ngettext(
            "“{option}” for {network} is {over} character too long in all.",
            "“{option}” for {network} is {over} characters too long in all.",
            over,
        ).format(option=label, network=name, over=over)
