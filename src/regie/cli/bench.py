"""``regie bench``: measures this machine against the budgets. ``list`` says what there is."""

from __future__ import annotations

import importlib
import importlib.util
import json
import pkgutil
import sys
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from regie.cli import benchmarks
from regie.cli.benchmarks import Result
from regie.cli.django import tell
from regie.cli.errors import Stop


def run(what: str, *, as_json: bool) -> int:
    """Prints figures beside their budgets. ``what``: a name, "all" or "list". Exit code 1 when a budget is broken."""
    known = _known()
    if what == "list":
        return _list(known, as_json=as_json)
    if what != "all" and what not in known:
        raise Stop(f"There is no benchmark {what!r}. There are: {', '.join(known)}, all.")
    results = {}
    for name in known if what == "all" else [what]:
        tell(f"Measuring {name} ...")
        results[name] = _load(known[name]).run()
    if as_json:
        plain = {name: [asdict(one) | {"good": one.good} for one in found] for name, found in results.items()}
        sys.stdout.write(json.dumps({"results": plain}) + "\n")
    else:
        for name, found in results.items():
            for one in found:
                sys.stdout.write(_line(name, one))
    return 0 if all(one.good for found in results.values() for one in found) else 1


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
    ours = (one.name for one in pkgutil.iter_modules(benchmarks.__path__) if one.name != "installation")
    known: dict[str, Path | str] = {name: f"{benchmarks.__name__}.{name}" for name in ours}
    checkout = Path(__file__).resolve().parents[3] / "benchmarks"
    for path in sorted(checkout.glob("*.py")):
        if "BUDGET" in path.read_text():
            known[path.stem] = path
    return dict(sorted(known.items()))


def _load(place: Path | str) -> Any:
    """A module with BUDGET and run()."""
    if isinstance(place, str):
        return importlib.import_module(place)
    spec = importlib.util.spec_from_file_location(f"regie_benchmark_{place.stem}", place)
    assert spec is not None  # a .py file has one
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
