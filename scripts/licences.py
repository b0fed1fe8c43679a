"""Nothing under the GPL in our process or our wheel: looks at every run-time dependency, with those that it brings."""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement

BAD = re.compile(r"(?<!L)(?<!Lesser )\b(A?GPL|GNU (Affero )?General Public)", re.IGNORECASE)
LESSER = re.compile(r"LGPL|Lesser General Public", re.IGNORECASE)
KNOWN: dict[str, str] = {
    # package: what we read in its own licence file, where its metadata says nothing
}


def licence_of(found: Distribution) -> str:
    """What the package's metadata say of its licence, in one line."""
    metadata = found.metadata
    said = [
        *(metadata.get_all("License-Expression") or []),
        *(text[:100] for text in metadata.get_all("License") or []),
        *(c.split("::")[-1].strip() for c in metadata.get_all("Classifier") or [] if c.startswith("License")),
    ]
    return " / ".join(dict.fromkeys(part.strip().split("\n")[0] for part in said if part.strip()))


def closure(root: str) -> dict[str, Distribution]:
    """Every package that ``root`` needs at run time with all its extras, by normalised name, itself left out."""
    found: dict[str, Distribution] = {}
    offers = distribution(root).metadata.get_all("Provides-Extra") or []
    waiting: list[tuple[str, frozenset[str]]] = [(root, frozenset(offers))]
    while waiting:
        name, extras = waiting.pop()
        try:
            here = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform
        for text in here.requires or []:
            need = Requirement(text)
            wanted = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in (*extras, ""))
            key = re.sub(r"[-_.]+", "-", need.name).lower()
            if wanted and key not in found:
                try:
                    found[key] = distribution(need.name)
                except PackageNotFoundError:
                    continue
                waiting.append((need.name, frozenset(need.extras)))
    return found


def main() -> int:
    problems = []
    packages = closure("regie")
    for name, found in sorted(packages.items()):
        licence = KNOWN.get(name) or licence_of(found)
        if not licence:
            problems.append(f"{name}: says no licence; read its file and note it in scripts/licences.py")
        elif BAD.search(licence) and not LESSER.search(licence):
            problems.append(f"{name}: {licence}")
    for problem in problems:
        print(problem)
    print(f"{len(packages)} packages looked at, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
