"""The audit trail speaks: whatever the code records has words, so nobody reads the name of an act."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from regie.people import audit

SOURCE = Path(__file__).parents[2] / "src" / "regie"


def recorded() -> Iterator[str]:
    """Every act that the code names as ``did="..."``, also where it chooses between two."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "did":
                for one in ast.walk(node.value):
                    if isinstance(one, ast.Constant) and isinstance(one.value, str):
                        yield one.value


def test_every_act_has_words() -> None:
    acts = set(recorded())
    assert len(acts) > 40
    assert {act for act in acts if act not in audit._WORDS} == set()
