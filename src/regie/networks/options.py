"""What a post says beside its text, read from the declaration: which options there are for it, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from regie.networks.capabilities import Format, Option, OptionKind
from regie.networks.data import Options

Value = bool | str | list[str]
Values = Mapping[str, Value]
"""By the option's name, as JSON keeps them: tags are a list."""

TYPES: Mapping[OptionKind, type] = {
    OptionKind.LINE: str,
    OptionKind.LINK: str,
    OptionKind.TAGS: list,
    OptionKind.CHOICE: str,
    OptionKind.SWITCH: bool,
    OptionKind.MOMENT: str,
}


def belongs(option: Option, form: Format, *, pictures: bool, videos: bool) -> bool:
    """Whether a post of this format that holds these files has the option."""
    with_it = {"": True, "picture": pictures, "video": videos}[option.only_with]
    return form in option.formats and with_it


def holds(values: Values, name: str, value: str | bool) -> bool:
    """Whether an option holds a value, alone or among others."""
    there = values.get(name)
    return value in there if isinstance(there, list) else there == value


def worded(option: Option, values: Values) -> Option:
    """With the words that it has while the others hold what they do."""
    for saying in option.sayings:
        if all(holds(values, name, value) for name, value in saying.when):
            said_now = {name: getattr(saying, name) or getattr(option, name) for name in ("label", "help", "shown_as")}
            return replace(option, **said_now)
    return option


def barred(option: Option, options: Iterable[Option], values: Values) -> dict[str | bool, str]:
    """Which of its values go with nothing that another option holds, and why: said by either of the two."""
    found = {clash.value: clash.said for clash in option.clashes if holds(values, clash.option, clash.its)}
    for one in options:
        for clash in one.clashes:
            if clash.option == option.name and holds(values, one.name, clash.value):
                found[clash.its] = clash.said
    return found


def clashing(options: Iterable[Option], values: Values) -> list[str]:
    """Why what was chosen does not go together, a sentence each."""
    return [
        clash.said
        for option in options
        for clash in option.clashes
        if holds(values, option.name, clash.value) and holds(values, clash.option, clash.its)
    ]


def said(option: Option, value: Value | None) -> Value | None:
    """What was chosen, without what is nothing; None: nothing was. A switch that is on by default may be off."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        return list(dict.fromkeys(tag for one in value if (tag := one.strip()))) or None
    if value is False and option.default is not True:
        return None
    return value


def filled(
    options: Iterable[Option], values: Values, form: Format, *, pictures: bool = False, videos: bool = False
) -> Options:
    """What a connector is given: of the options that the post has, what was chosen, or else what is chosen to begin
    with."""
    given: dict[str, str | bool | tuple[str, ...]] = {}
    for option in options:
        if option.closed or not belongs(option, form, pictures=pictures, videos=videos):
            continue
        value = said(option, values.get(option.name))
        if value is None and option.default not in ("", False):
            value = option.default
        if value is not None:
            given[option.name] = tuple(value) if isinstance(value, list) else value
    return given
