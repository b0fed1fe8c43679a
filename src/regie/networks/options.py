"""What a post says beside its text, read from the declaration: which options there are for it, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
}


def belongs(option: Option, form: Format, *, pictures: bool, videos: bool) -> bool:
    """Whether a post of this format that holds these files has the option."""
    with_it = {"": True, "picture": pictures, "video": videos}[option.only_with]
    return form in option.formats and with_it


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
        if not belongs(option, form, pictures=pictures, videos=videos):
            continue
        value = said(option, values.get(option.name))
        if value is None and option.default not in ("", False):
            value = option.default
        if value is not None:
            given[option.name] = tuple(value) if isinstance(value, list) else value
    return given
