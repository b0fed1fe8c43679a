"""``regie networks``: what each network can do here, from the connectors' own declarations."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from regie.networks import protocols, registry, table

PROTOCOLS = {
    "publish": protocols.Publishes,
    "delete": protocols.Deletes,
    "edit": protocols.Edits,
    "read": protocols.Converses,
    "like": protocols.Likes,
    "measure": protocols.Measures,
    "stream": protocols.Streams,
}


def describe(slug: str) -> dict[str, Any]:
    """One network: its name, limits and what it can do, as JSON-able data."""
    kind = registry.connector(slug)
    can = kind.can
    lacks = () if can.delete else ("delete",)  # it may take back what we said, and no post
    return {
        "slug": slug,
        "name": kind.name,
        "text": can.text.longest,
        "counting": str(can.text.counting),
        "images": can.images.most if can.images else 0,
        "alt_text": bool(can.images and can.images.longest_alt),
        "thread": can.thread,
        "poll": can.poll is not None,
        "content_warning": can.content_warning is not None,
        "repeat": type(can.repeat).__name__,
        "sign_in": [str(way) for way in can.sign_in],
        "reads": sorted(str(one) for one in can.reads),
        "answers": sorted(str(one) for one in can.answers),
        "post_metrics": list(can.post_metrics),
        "account_metrics": list(can.account_metrics),
        "capabilities": {name: cell.state for name, cell in table.cells(slug).items()},
        "offers": [name for name, protocol in PROTOCOLS.items() if _implements(kind, protocol) and name not in lacks],
    }


def _implements(kind: type, protocol: Any) -> bool:
    wanted = [name for name in vars(protocol) if not name.startswith("_")]
    return all(callable(getattr(kind, name, None)) for name in wanted)


def run(*, as_json: bool) -> int:
    found = [describe(slug) for slug in registry.slugs()]
    if as_json:
        sys.stdout.write(json.dumps({"networks": found}, ensure_ascii=False) + "\n")
        return 0
    for network in found:
        sys.stdout.write(f"{network['name']}\n")
        for key, value in network.items():
            if key not in ("slug", "name"):
                for name, shown in _in_lines(key, value):
                    sys.stdout.write(f"  {name.replace('_', ' '):<18} {shown}\n")
    return 0


def _in_lines(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """One line for a fact; of what it can do, one for what works, one for what does not."""
    if isinstance(value, dict):
        for state in dict.fromkeys(value.values()):
            yield state, ", ".join(name.replace("_", " ") for name, one in value.items() if one == state)
    elif isinstance(value, list):
        yield key, ", ".join(value) or "nothing"
    elif isinstance(value, bool):
        yield key, "yes" if value else "no"
    else:
        yield key, value
