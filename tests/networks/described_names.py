"""Names in a body that its description lacks. JSON Schema lets them pass where the vendor forgot to forbid others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
Find = Callable[[Schema], Schema]


def undescribed(value: Any, *schemas: Schema, found: Find, where: str) -> Iterator[str]:
    """``found``: what a ``$ref`` stands for. Objects that the description says nothing of may hold anything."""
    flat = [part for schema in schemas for part in _parts(schema, found)]
    if isinstance(value, dict):
        known: dict[str, list[Schema]] = {}
        for part in flat:
            for name, schema in part.get("properties", {}).items():
                known.setdefault(name, []).append(schema)
        if not known or any(part.get("additionalProperties") for part in flat):
            return
        for name, one in value.items():
            if name in known:
                yield from undescribed(one, *known[name], found=found, where=f"{where}.{name}")
            else:
                yield f"{where}: no field {name}"
    elif isinstance(value, list):
        items = [part["items"] for part in flat if isinstance(part.get("items"), dict)]
        for one in value if items else ():
            yield from undescribed(one, *items, found=found, where=f"{where}[]")


def _parts(schema: Schema, found: Find) -> Iterator[Schema]:
    """The schema itself and all that it is put together from."""
    schema = found(schema)
    yield schema
    alternatives: Sequence[Schema] = [
        *schema.get("allOf", ()),
        *schema.get("anyOf", ()),
        *schema.get("oneOf", ()),
    ]
    for one in alternatives:
        yield from _parts(one, found)
