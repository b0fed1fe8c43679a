"""``regie bench``: measures this machine against the budgets. ``list`` says what there is."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import pkgutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from regie.cli import benchmarks
from regie.cli.benchmarks import Report, Result
from regie.cli.django import tell
from regie.cli.errors import Stop


def run(given: Sequence[str], *, as_json: bool = False) -> int:
    """Prints figures beside their budgets. Exit code 1 when a budget is broken.

    given: a name with its own options, "all" or "list", as on the command line; nothing means "list"
    """
    known = _known()
    what, rest = (given[0], list(given[1:])) if given and not given[0].startswith("-") else ("list", list(given))
    if what not in ("all", "list", *known):
        raise Stop(f"There is no benchmark {what!r}. There are: {', '.join(known)}, all.")
    module = _load(known[what]) if what in known else None
    arguments = _parser(what, module).parse_args(rest)
    as_json = as_json or arguments.json
    if what == "list":
        return _list(known, as_json=as_json)
    if module is None:
        return _all(known, as_json=as_json)
    return _one(what, module, arguments, as_json=as_json)


def _parser(what: str, module: Any) -> argparse.ArgumentParser:
    """Its own options, for one that has some, and ``--json`` for all."""
    about = None if module is None else f"Budget: {module.BUDGET}"
    parser = argparse.ArgumentParser(prog=f"regie bench {what}", description=about)
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    if hasattr(module, "options"):
        module.options(parser)
    return parser


def _measure(name: str, module: Any, arguments: argparse.Namespace | None = None) -> Report:
    tell(f"Measuring {name} ...")
    if not hasattr(module, "options"):
        return Report(module.run())
    report: Report = module.run(_parser(name, module).parse_args([]) if arguments is None else arguments)
    return report


def _one(name: str, module: Any, arguments: argparse.Namespace, *, as_json: bool) -> int:
    report = _measure(name, module, arguments)
    if as_json:
        sys.stdout.write(json.dumps(report.line or {"results": {name: _plain(report)}}) + "\n")
    else:
        _print(name, report)
    return 0 if all(one.good for one in report.results) else 1


def _all(known: dict[str, Path | str], *, as_json: bool) -> int:
    """Each with its default settings."""
    reports = {name: _measure(name, _load(place)) for name, place in known.items()}
    if as_json:
        sys.stdout.write(json.dumps({"results": {name: _plain(report) for name, report in reports.items()}}) + "\n")
    else:
        for name, report in reports.items():
            _print(name, report)
    return 0 if all(one.good for report in reports.values() for one in report.results) else 1


def _plain(report: Report) -> list[dict[str, Any]]:
    return [asdict(one) | {"good": one.good} for one in report.results]


def _print(name: str, report: Report) -> None:
    for one in report.results:
        sys.stdout.write(_line(name, one))
    if report.line:
        sys.stdout.write(f"      {json.dumps(report.line)}\n")


def _line(name: str, one: Result) -> str:
    sign, than = ("ok  " if one.good else "OVER"), (">=" if one.more_is_better else "<=")
    return f"{sign}  {name}: {one.what}: {one.value:g} {one.unit} (budget {than} {one.budget:g})\n"


def _list(known: dict[str, Path | str], *, as_json: bool) -> int:
    budgets = {name: str(_load(place).BUDGET) for name, place in known.items()}
    if as_json:
        sys.stdout.write(json.dumps({"benchmarks": budgets}) + "\n")
    else:
        for name, budget in budgets.items():
            sys.stdout.write(f"{name:<12} {budget}\n")
    return 0


def _known() -> dict[str, Path | str]:
    """By name: those of the package, and, in a checkout, those of its ``benchmarks/`` folder."""
    names = [f"{benchmarks.__name__}.{one.name}" for one in pkgutil.iter_modules(benchmarks.__path__)]
    known: dict[str, Path | str] = {name.rpartition(".")[2]: name for name in names if _has_a_budget(name)}
    checkout = Path(__file__).resolve().parents[3] / "benchmarks"
    for path in sorted(checkout.glob("*.py")):
        if "\nBUDGET = " in path.read_text():
            known[path.stem] = path
    return dict(sorted(known.items()))


def _has_a_budget(name: str) -> bool:
    """Whether a module is a benchmark, and not a helper of theirs; told without running it."""
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None and "\nBUDGET = " in Path(spec.origin).read_text()


def _load(place: Path | str) -> Any:
    """A module with BUDGET and run(), and perhaps options()."""
    if isinstance(place, str):
        return importlib.import_module(place)
    spec = importlib.util.spec_from_file_location(f"regie_benchmark_{place.stem}", place)
    assert spec is not None  # a .py file has one
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
