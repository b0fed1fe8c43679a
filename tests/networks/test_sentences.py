"""What a connector says when something goes wrong is found by ``scripts/messages.py``, to be translated."""

from __future__ import annotations

import ast
import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from test_every_connector import Line, failures, line, slug  # noqa: F401 - fixtures

from regie.networks.errors import Refused

ROOT = Path(__file__).resolve().parents[2]


@cache
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("regie_messages", ROOT / "scripts" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = made
    spec.loader.exec_module(made)
    return made


@cache
def collected() -> frozenset[str]:
    return frozenset(message.text for messages in script().collect().values() for message in messages)


def found_in(code: str) -> list[str]:
    return [message.text for message in script()._in_tree(ast.parse(code), errors=True)]


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ('raise Refused("{network} said no.", network=NETWORK)', ["{network} said no."]),
        (
            'raise raised("{network} misses a permission: {reason}", **facts)',
            ["{network} misses a permission: {reason}"],
        ),
        ('raise Refused(REFUSED.get(code, "{network} said: {reason}"))', ["{network} said: {reason}"]),
        ('raise Gone("It is gone." if gone else "It was never there.")', ["It is gone.", "It was never there."]),
        ("raise LookupError('key')", []),
        ('return Unclear("Nobody knows.")', ["Nobody knows."]),
        ("raise Refused(sentence)", []),
    ],
)
def test_a_sentence_is_found_wherever_an_error_says_it(code: str, texts: list[str]) -> None:
    assert found_in(code if code.startswith("raise") else f"def f():\n    {code}") == texts


async def test_what_bad_days_say_can_be_translated(line: Line) -> None:  # noqa: F811
    said = set()
    async for exc in failures(line):
        said.add(exc.sentence)
    what = line.outgoing("Good morning", visibility="to nobody that we know")
    with pytest.raises(Refused) as refused:
        await line.connector.commit(what, await line.prepared(what))
    assert said | {refused.value.sentence} <= collected()
