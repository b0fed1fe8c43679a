"""From the OpenAPI description to what a page shows of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop as _

TITLES = {
    "workspace": _("Workspace"),
    "accounts": _("Accounts"),
    "media": _("Media"),
    "posts": _("Posts"),
    "recurrences": _("Recurring posts"),
    "campaigns": _("Campaigns"),
    "deliveries": _("Deliveries"),
    "messages": _("Messages"),
    "measure": _("Numbers"),
}

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """``where``: path, query, header, body or answer; dots lead inside."""

    name: str
    kind: str
    required: bool
    said: str
    where: str


@dataclass(frozen=True, slots=True)
class Shown:
    """One operation. ``summary`` is in English, to be translated where it is shown."""

    id: str
    method: str
    path: str
    summary: str
    said: str
    takes: tuple[Field, ...]
    gives: tuple[Field, ...]
    status: str


@dataclass(frozen=True, slots=True)
class Subject:
    """``title`` is in English, to be translated where it is shown."""

    name: str
    title: str
    operations: tuple[Shown, ...]


def subjects_of(schema: Schema) -> list[Subject]:
    """Every operation by its tag, in the order the API declares them."""
    found: dict[str, list[Shown]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append(_shown(schema, path, method, operation))
    return [Subject(name, TITLES[name], tuple(operations)) for name, operations in found.items()]


def _shown(schema: Schema, path: str, method: str, operation: Schema) -> Shown:
    status = next(code for code in map(str, operation["responses"]) if code.startswith("2"))
    answer = {str(code): one for code, one in operation["responses"].items()}[status]
    return Shown(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation["summary"],
        said=operation.get("description", ""),
        takes=(*_parameters(schema, operation), *_inside(schema, operation.get("requestBody", {}), "body")),
        gives=tuple(_inside(schema, answer, "answer")),
        status=status,
    )


def _parameters(schema: Schema, operation: Schema) -> Iterable[Field]:
    for one in operation.get("parameters", []):
        said = one["schema"].get("description", "")
        yield Field(one["name"], _kind(schema, one["schema"]), one["required"], said, one["in"])


def _inside(schema: Schema, holder: Schema, where: str) -> Iterable[Field]:
    for content in holder.get("content", {}).values():
        yield from _fields(schema, content["schema"], where)


def _fields(schema: Schema, node: Schema, where: str, before: str = "", depth: int = 0) -> Iterable[Field]:
    """The properties of an object, and those of the objects inside it, down to the third floor."""
    node = _resolved(schema, node)
    if node.get("type") == "array":
        yield from _fields(schema, node.get("items", {}), where, before or "[].", depth)
        return
    needed = node.get("required", [])
    for name, one in node.get("properties", {}).items():
        yield Field(f"{before}{name}", _kind(schema, one), name in needed, one.get("description", ""), where)
        inner = _resolved(schema, one)
        if depth < 2 and inner.get("type") == "array":
            inner = _resolved(schema, inner.get("items", {}))
            if inner.get("properties"):
                yield from _fields(schema, inner, where, f"{before}{name}[].", depth + 1)
        elif depth < 2 and inner.get("properties"):
            yield from _fields(schema, inner, where, f"{before}{name}.", depth + 1)


def _resolved(schema: Schema, node: Schema) -> Schema:
    """The description itself: behind a reference, or the one that is not null."""
    if "$ref" in node:
        found: Schema = schema["components"]["schemas"][node["$ref"].rsplit("/", 1)[-1]]
        return found
    for choice in node.get("anyOf", node.get("allOf", ())):
        if choice.get("type") != "null":
            return _resolved(schema, choice)
    return node


def _kind(schema: Schema, node: Schema) -> str:
    if "anyOf" in node:
        return " | ".join(dict.fromkeys(_kind(schema, choice) for choice in node["anyOf"]))
    inner = _resolved(schema, node)
    if "enum" in inner:
        return " | ".join(map(str, inner["enum"]))
    if inner.get("type") == "array":
        return f"{_kind(schema, inner.get('items', {}))}[]"
    return str(inner.get("format") or inner.get("type") or "any")
