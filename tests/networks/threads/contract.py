"""The vendor's collection of requests to the Threads API, and what departs from it.

It names paths, parameters and the fields that may be asked for. It knows no answers, no errors and no permissions.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from regie_sandbox.graph.base import Call
from regie_sandbox.graph.wire import Trouble, fields_of
from regie_sandbox.threads.app import Threads

SPEC = (
    Path(os.environ.get("REGIE_SPECS", Path(__file__).resolve().parents[3] / "../shared/specs"))
    / "threads"
    / "threads-api.postman_collection.json"
)
OF_EVERY_CALL = {"access_token", "fields", "limit", "before", "after", "since", "until"}
SHOWN = {  # which of the collection's lists says what a node may show
    "User": "fields_profile",
    "Media": "fields_replies",
    "Container": "fields_container",
}
BESIDE = {"owner", "has_replies", "hide_status"}  # in one of its two lists of a post's fields only

OF_GUIDES = {"allowlisted_country_codes"}  # of a container: guide "Geo-gated content", and not in the collection


@dataclass
class Exchange:
    method: str
    parts: list[str]
    params: dict[str, Any]
    kind: str
    answer: Any


@dataclass
class Described:
    method: str
    parts: list[str]  # "*" for an id
    names: set[str] = field(default_factory=set)


class Contract:
    def __init__(self, collection: dict[str, Any]) -> None:
        self.variables = {one["key"]: one["value"] for one in collection["variable"]}
        self.calls = [self._described(one) for one in _requests(collection["item"])]

    def _described(self, request: dict[str, Any]) -> Described:
        url = request["url"]
        parts = ["*" if part.startswith("{{") else part for part in url["path"] if part]
        return Described(request["method"], parts, {one["key"] for one in url.get("query", ())})

    def fields(self, name: str) -> set[str]:
        return {one.name for one in fields_of(self.variables[name])}

    def problems(self, seen: Exchange) -> list[str]:
        where = f"{seen.method} {'/'.join(seen.parts)}"
        calls = [one for one in self.calls if one.method == seen.method and _fits(one.parts, seen.parts)]
        if not calls:
            return [f"{where}: not in the collection"]
        known = OF_EVERY_CALL | {name for one in calls for name in one.names}
        known |= OF_GUIDES if seen.parts[1:] == ["threads"] and seen.method == "POST" else set()
        return [
            *(f"{where}: no parameter {name}" for name in seen.params if name not in known),
            *self._asked(seen, where),
            *self._shown(seen, where),
        ]

    def _asked(self, seen: Exchange, where: str) -> Iterator[str]:
        if "metric" in seen.params:
            name = "metrics_account" if seen.parts[-1] == "threads_insights" else "metrics_post"
            known = set(self.variables[name].split(","))
            yield from (
                f"{where}: no metric {one}" for one in str(seen.params["metric"]).split(",") if one not in known
            )
        if seen.parts[-1] == "threads_publishing_limit":
            known = self.fields("fields_quota")
            yield from (f"{where}: no field {one}" for one in str(seen.params["fields"]).split(",") if one not in known)

    def _shown(self, seen: Exchange, where: str) -> Iterator[str]:
        if seen.method != "GET" or seen.kind not in SHOWN or seen.parts[-1] in ("insights", "threads_insights"):
            return
        if seen.parts[-1] == "threads_publishing_limit":
            return
        rows, kind = (seen.answer["data"], "Media") if "data" in seen.answer else ([seen.answer], seen.kind)
        known = self.fields(SHOWN[kind]) | ((self.fields("fields_threads") | BESIDE) if kind == "Media" else set())
        yield from (f"{where}: {kind} has no {name}" for row in rows for name in row if name not in known)


def _requests(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in items:
        if "item" in one:
            yield from _requests(one["item"])
        else:
            yield one["request"]


def _fits(described: list[str], parts: list[str]) -> bool:
    return len(described) == len(parts) and all(one in ("*", part) for one, part in zip(described, parts, strict=True))


@cache
def contract() -> Contract:
    if not SPEC.exists():
        pytest.skip(f"the collection of requests to Threads is not at {SPEC} (set REGIE_SPECS)")
    return Contract(json.loads(SPEC.read_text()))


class Exchanges:
    """What passed over the wire of one sandbox, but for what was answered with an error or asked of an app."""

    def __init__(self, net: Threads) -> None:
        self.seen: list[Exchange] = []
        self._net, self._answer = net, net.answer
        net.answer = self._noted  # type: ignore[method-assign]

    async def _noted(self, call: Call) -> Any:
        node = self._net.find(call.holder if call.parts[:1] == ["me"] else call.parts[0])
        try:
            answer = await self._answer(call)
        except Trouble as trouble:
            assert {"message", "type", "code", "fbtrace_id"} <= set(trouble.error)  # noqa: PT017 - of every error
            raise
        if node is None or node[0] != "Application":
            kind = node[0] if node is not None else ""
            self.seen.append(Exchange(call.method, call.parts, dict(call.params), kind, answer))
        return answer

    def problems(self) -> list[str]:
        return sorted({problem for seen in self.seen for problem in contract().problems(seen)}) if self.seen else []
