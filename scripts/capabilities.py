"""What works on which network, from a run of the tests that show it: ``src/regie/networks/exercised.json``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MADE = ROOT / "src" / "regie" / "networks" / "exercised.json"


def run(place: Path) -> int:
    """The contract suite; each test that passed and shows something leaves a line in ``place``."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-m", "shows", "tests/networks"]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, "CAPABILITIES_SHOWN": str(place)}, check=False
    ).returncode


def told(lines: str) -> dict[str, dict[str, str]]:
    """Network -> capability -> the first of its tests, of those that the connector declares."""
    from regie.networks import registry
    from regie.networks.table import DECLARED

    found: dict[str, dict[str, str]] = {slug: {} for slug in registry.slugs()}
    for line in sorted(lines.splitlines()):
        slug, name, test = line.split("\t")
        if DECLARED[name](registry.connector(slug).can):
            found[slug].setdefault(name, test)
    return {slug: {name: cells[name] for name in DECLARED if name in cells} for slug, cells in found.items()}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "shown"
        if failed := run(place):
            return failed
        MADE.write_text(json.dumps(told(place.read_text()), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
