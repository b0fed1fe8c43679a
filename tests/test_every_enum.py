"""Every member of every enum: whoever adds one is asked who reaches it, and how a person sees it."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cache
from pathlib import Path

import pytest

from regie.accounts.budgets import Priority
from regie.accounts.models import Account
from regie.community.models import Answer, Message
from regie.media.models import File, Rendition
from regie.networks import registry, text
from regie.networks.capabilities import (
    Answering,
    Arrival,
    Capabilities,
    Counting,
    Format,
    MessageKind,
    OptionKind,
    Shows,
    SignIn,
    TextLimit,
)
from regie.people.models import User
from regie.people.permissions import MAY, Role
from regie.publishing.models import Attempt, Edit, Step
from regie.publishing.states import BEGINNINGS, FOLLOWS, State
from regie.publishing.templatetags import publishing as receipts
from regie.studio.checks import Level
from regie.web.states import KINDS

SOURCE = Path(__file__).parents[1] / "src"
PUBLISHING = "regie/publishing/engine", "regie/publishing/services"
ANY_TEXT = "Bonjour 👋"


def declared() -> list[Capabilities]:
    return [registry.connector(slug).can for slug in registry.slugs()]


@cache
def words_of(*places: str) -> frozenset[str]:
    """What the code in these places names: ``State.HELD`` as HELD, and every word inside its quoted texts (SQL)."""
    found: set[str] = set()
    for place in places:
        path = SOURCE / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Attribute):
                    found.add(node.attr)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.update(part for part in node.value.split("'")[1::2] if part.isidentifier())
                    found.add(node.value)
    return frozenset(found)


def is_named(member: Enum, *places: str) -> bool:
    return bool({member.name, str(member.value)} & words_of(*places))


def has_look(kind: str, member: Enum) -> bool:
    look = KINDS[kind].get(str(member.value))
    return look is not None and bool(look.word) and bool(look.icon) and bool(look.tone)


def delivery_state(state: State) -> bool:
    led_to = state in BEGINNINGS or any(state in after for after in FOLLOWS.values())
    return led_to and state in FOLLOWS and has_look("delivery", state) and is_named(state, *PUBLISHING)


def step_state(state: Step.State) -> bool:
    return state in receipts.STEPS and is_named(state, *PUBLISHING)


def call(kind: Attempt.Kind) -> bool:
    return kind in receipts.CALLS and is_named(kind, "regie/publishing/engine")


def edit_state(state: Edit.State) -> bool:
    return has_look("edit", state) and is_named(state, "regie/publishing/edit_calls.py")


def account_state(state: Account.State) -> bool:
    return has_look("account", state) and is_named(state, "regie/accounts/services.py")


def rendition_state(state: Rendition.State) -> bool:
    return has_look("rendition", state) and is_named(state, "regie/media/making.py", "regie/media/links.py")


def message_state(state: Message.State) -> bool:
    return has_look("message", state) and is_named(state, "regie/community/services.py")


def answer_state(state: Answer.State) -> bool:
    return has_look("message", state) and is_named(state, "regie/community/services.py", "regie/community/sending.py")


def counting(way: Counting) -> bool:
    limits = [limit for can in declared() for limit in (can.text, can.content_warning) if isinstance(limit, TextLimit)]
    return way in {limit.counting for limit in limits} and text.length(ANY_TEXT, way) > 0


def role(one: Role) -> bool:
    """It may do something, and no other role may do exactly the same."""
    mine = {verb for verb, who in MAY.items() if one in who}
    return bool(mine) and all(
        mine != {verb for verb, who in MAY.items() if other in who} for other in Role if other != one
    )


def theme(choice: User.Theme) -> bool:
    script = (SOURCE / "regie/web/static/regie/theme.js").read_text()
    return str(choice.value) in script


REACHED: dict[type[Enum], Callable[..., bool]] = {
    State: delivery_state,
    Step.State: step_state,
    Attempt.Kind: call,
    Edit.State: edit_state,
    Account.State: account_state,
    Priority: lambda one: is_named(one, "regie/publishing/engine", "regie/community"),
    Message.State: message_state,
    Answer.State: answer_state,
    Level: lambda level: is_named(level, "regie/studio/checks", "regie/studio/desk.py"),
    Role: role,
    User.Theme: theme,
    Counting: counting,
    File.Kind: lambda kind: is_named(kind, "regie/media/models.py"),
    Rendition.State: rendition_state,
    Format: lambda one: any(one in can.formats for can in declared()),
    OptionKind: lambda kind: any(option.kind is kind for can in declared() for option in can.options),
    Shows: lambda way: any(option.shows is way for can in declared() for option in can.options),
    MessageKind: lambda kind: any(kind in can.reads for can in declared()),
    Answering: lambda verb: any(verb in can.answers for can in declared()),
    Arrival: lambda way: any(way in can.arrival for can in declared()),
    SignIn: lambda way: any(way in can.sign_in for can in declared()),
}


def enums() -> Iterator[type[Enum]]:
    """Every enum that our packages define, found in their sources."""
    for file in sorted(SOURCE.rglob("*.py")):
        if "migrations" in file.parts:
            continue
        source = file.read_text()
        if "Enum" not in source and "Choices" not in source:
            continue
        module = importlib.import_module(".".join(file.relative_to(SOURCE).with_suffix("").parts))
        for path in _classes(ast.parse(source)):
            found: object = module
            for name in path:
                found = getattr(found, name, None)
            if isinstance(found, type) and issubclass(found, Enum):
                yield found


def _classes(tree: ast.AST, inside: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield (*inside, node.name)
            yield from _classes(node, (*inside, node.name))


def test_no_enum_is_forgotten_here() -> None:
    assert set(enums()) == set(REACHED)


@pytest.mark.parametrize("member", [member for enum in REACHED for member in enum], ids=lambda member: f"{member!r}")
def test_somebody_reaches_it_and_a_person_can_see_it(member: Enum) -> None:
    assert REACHED[type(member)](member)
