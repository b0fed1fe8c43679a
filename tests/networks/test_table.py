"""The table of networks and capabilities holds: each cell has a test that is there, or a source."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from regie.networks import registry
from regie.networks.lacks import LACKS
from regie.networks.table import DECLARED, cells, exercised

ROOT = Path(__file__).parents[2]
OF_THE_TRADE = (
    "facebook", "instagram", "tiktok", "youtube", "linkedin", "x", "pinterest", "reddit", "telegram", "google_business",
)  # fmt: skip


@cache
def shown_in(path: str) -> dict[str, set[str]]:
    """Test -> what its mark says that it shows."""
    found: dict[str, set[str]] = {}
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            marks = [
                one for one in node.decorator_list if isinstance(one, ast.Call) and "shows" in ast.unparse(one.func)
            ]
            found[node.name] = {ast.literal_eval(arg) for mark in marks for arg in mark.args}
    return found


@pytest.mark.parametrize("slug", registry.slugs())
def test_what_works_is_shown_by_a_test_that_is_there(slug: str) -> None:
    for name, test in exercised()[slug].items():
        path, _, function = test.partition("::")
        assert name in shown_in(path)[function.partition("[")[0]], test
        assert DECLARED[name](registry.connector(slug).can), f"{slug} no longer declares {name}: make networks"


@pytest.mark.parametrize("slug", registry.slugs())
def test_what_is_declared_is_not_said_to_be_lacking(slug: str) -> None:
    declared = {name for name, asks in DECLARED.items() if asks(registry.connector(slug).can)}
    assert not declared & set(LACKS.get(slug, {}))
    assert set(LACKS.get(slug, {})) <= set(DECLARED)


@pytest.mark.parametrize("slug", OF_THE_TRADE)
def test_nothing_is_left_for_later_on_the_networks_of_the_trade(slug: str) -> None:
    assert [name for name, cell in cells(slug).items() if cell.state == "not yet"] == []
