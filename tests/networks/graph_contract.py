"""Meta's own description of its Graph API, and what departs from it: for the tests of Instagram and Facebook Pages.

The description tells parameters and fields. It knows no answers of writes, no errors, no permissions, and leaves out
containers of Instagram and the hosts for uploads and sign-in: NOTES.md of each connector says so.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from regie_sandbox.graph.base import Call, GraphNetwork
from regie_sandbox.graph.wire import Trouble

ROOT = Path(__file__).resolve().parents[2]
SPECS = Path(os.environ.get("REGIE_SPECS", ROOT / "../shared/specs")) / "meta"
OF_EVERY_CALL = {"access_token", "appsecret_proof", "fields", "limit", "after", "before"}
OF_AN_ERROR = {
    "message", "type", "code", "error_subcode", "is_transient", "error_user_title", "error_user_msg", "fbtrace_id",
}  # fmt: skip
NOT_DESCRIBED = {"IGContainer"}
FREE = {
    "InsightsValue.value",
    "InstagramInsightsValue.value",
    "InsightsResult.total_value",
}  # "Object" there; numbers in every guide
BESIDE = {  # described under another name, or not at all though the vendor's guide has it
    ("IGUserForIGOnlyAPI", "POST", "media_publish"): "mediapublish",
}
ONLY_IN_GUIDES = {
    ("IGUser", "GET", "subscribed_apps"),
    ("IGUser", "POST", "subscribed_apps"),
    ("IGUser", "DELETE", "subscribed_apps"),
}
IDS_OF_GUIDES = {"place"}  # "Object" there, or "string"; the number of a page in every guide
WORDS_OF_GUIDES = {"tag"}  # "Object" there; HUMAN_AGENT in the guide of the Messenger Platform
PARAMS_OF_GUIDES = {  # multipart uploads, and the summary of an edge
    ("Page", "photos"): {"source"},
    ("PagePost", "comments"): {"summary"},
    ("AdVideo", "comments"): {"summary"},
    ("AdVideo", "likes"): {"summary"},
}
SHOWS = {("IGMediaForIGOnlyAPI", "comments"): "IGComment"}  # "Comment" there is not Facebook's, which has that name
LIST = re.compile(r"^list<(.+)>$")
BASIC: Mapping[str, Callable[[Any], bool]] = {
    "bool": lambda value: isinstance(value, bool) or value in ("true", "false"),
    "string": lambda value: isinstance(value, str | bytes),  # bytes: a file in a form
    "int": lambda value: not isinstance(value, bool) and str(value).lstrip("-").isdigit(),
    "unsigned int": lambda value: not isinstance(value, bool) and str(value).isdigit(),
    "float": lambda value: isinstance(value, int | float) or str(value).replace(".", "", 1).isdigit(),
    "datetime": lambda value: bool(re.match(r"^(\d+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\+\d{4}|Z))$", str(value))),
    "map": lambda value: isinstance(value, dict),
    "Object": lambda value: isinstance(value, dict) or (isinstance(value, str) and value[:1] == "{"),  # JSON in a form
    "file": lambda value: isinstance(value, bytes | str),
}


@dataclass
class Exchange:
    """One call. ``kind``: the description's name of the node; ``edge`` "" is the node itself."""

    method: str
    kind: str
    edge: str
    params: dict[str, Any]
    answer: Any
    trouble: bool
    version: str = "v25.0"


class Contract:
    def __init__(self, specs: Path) -> None:
        self.nodes: dict[str, Any] = json.loads((specs / "graph-v25.0.specs.json").read_bytes())["specs"]
        enums = json.loads((specs / "graph-v25.0.enum_types.json").read_bytes())
        self.enums: dict[str, set[str]] = {one["name"]: set(one["values"]) for one in enums}
        self.next: dict[str, Any] = json.loads((specs / "graph-v26.0.sdk-extract.json").read_bytes())["objects"]

    def problems(self, seen: Exchange) -> list[str]:
        if seen.trouble:
            error = seen.answer["error"]
            unknown = sorted(set(error) - OF_AN_ERROR)
            lacking = {"message", "type", "code", "fbtrace_id"} - set(error)
            return [f"error: {unknown} unknown, {lacking} lacking"] if unknown or lacking else []
        if seen.kind in NOT_DESCRIBED or (seen.kind, seen.method, seen.edge) in ONLY_IN_GUIDES:
            return []
        where = f"{seen.method} {seen.kind}/{seen.edge}"
        api = self._api(seen)
        if api is None:
            return [f"{where}: not described"]
        return [*self._request(api, seen, where), *self._answer(api, seen, where)]

    def _api(self, seen: Exchange) -> dict[str, Any] | None:
        wanted = BESIDE.get((seen.kind, seen.method, seen.edge), seen.edge)
        named = {"GET": "#get", "POST": "#update", "DELETE": "#delete"}[seen.method]
        for api in self.nodes[seen.kind]["apis"]:
            if api["method"] == seen.method and (api.get("endpoint") == wanted if wanted else api.get("name") == named):
                return dict(api)
        return None

    def _request(self, api: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        known = {one["name"]: one for one in api["params"]} | self._since(seen)
        allowed = known.keys() | OF_EVERY_CALL | PARAMS_OF_GUIDES.get((seen.kind, seen.edge), set())
        found = [f"{where}: no parameter {name}" for name in seen.params if name not in allowed]
        for name, one in known.items():
            if name in IDS_OF_GUIDES and str(seen.params.get(name, "0")).isdigit():
                continue
            if name in WORDS_OF_GUIDES and str(seen.params.get(name, "A")).isupper():
                continue
            if name == "metric" and one["type"] == "list<Object>":
                continue  # free strings, says the description of itself
            if name in seen.params:
                found += self._typed(one["type"], seen.params[name], f"{where} {name}")
            elif one.get("required"):
                found.append(f"{where}: {name} is missing")
        return found

    def _since(self, seen: Exchange) -> dict[str, Any]:
        """What v26.0 added to the call, when it was made at v26.0."""
        calls = self.next[seen.kind]["calls"] if seen.version == "v26.0" else ()
        there = [one for one in calls if (one["method"], one["endpoint"]) == (seen.method, f"/{seen.edge}")]
        return {name: {"name": name, "type": kind} for one in there for name, kind in one["params"].items()}

    def _answer(self, api: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        if seen.method != "GET":
            return []  # what a write answers is not described
        inner = SHOWS.get((seen.kind, seen.edge)) or (api.get("return") if seen.edge else seen.kind)
        if inner not in self.nodes:
            return []
        rows = seen.answer.get("data", []) if seen.edge else [seen.answer]
        return [problem for row in rows for problem in self._node(str(inner), row, where)]

    def _node(self, kind: str, shown: dict[str, Any], where: str) -> list[str]:
        described = self.nodes[kind]
        fields = {one["name"]: one["type"] for one in described["fields"]}
        edges = {one.get("endpoint") for one in described["apis"] if one["method"] == "GET"}
        found = []
        for name, value in shown.items():
            if f"{kind}.{name}" in FREE:
                continue
            if name in fields:
                found += self._typed(fields[name], value, f"{where} {kind}.{name}")
            elif name not in edges and name != "id":
                found.append(f"{where}: {kind} has no {name}")
        return found

    def _typed(self, kind: str, value: Any, where: str) -> list[str]:
        if (listed := LIST.match(kind)) is not None:
            values = value if isinstance(value, list) else _parts(value)
            return [problem for one in values for problem in self._typed(listed[1], one, where)]
        if (allowed := self.enums.get(kind)) is not None or kind.endswith("_param"):
            known = {one.lower() for one in allowed or ()}  # the guides write some in small letters
            return (
                [] if allowed is None or str(value).lower() in known else [f"{where}: {value!r} is not one of {kind}"]
            )
        if kind in BASIC:
            return [] if BASIC[kind](value) else [f"{where}: {value!r} is no {kind}"]
        if kind in self.nodes and isinstance(value, dict):
            return [] if "data" in value else self._node(kind, value, where)
        return []


def _parts(value: Any) -> list[Any]:
    text = str(value)
    return list(json.loads(text)) if text.startswith("[") else text.split(",")


@cache
def described() -> Contract | None:
    return Contract(SPECS) if (SPECS / "graph-v25.0.specs.json").exists() else None


def contract() -> Contract:
    if (found := described()) is None:
        pytest.skip(f"Meta's description of the Graph API is not at {SPECS}: set REGIE_SPECS")
    return found


class Exchanges:
    """What passed over the wire of one sandbox. ``everything``: what departs from the description."""

    def __init__(self, net: GraphNetwork, name_of: Callable[[Call, str], str]) -> None:
        self.seen: list[Exchange] = []
        self._net, self._name_of, self._answer = net, name_of, net.answer
        net.answer = self._noted  # type: ignore[method-assign]

    async def _noted(self, call: Call) -> Any:
        node, edge = (
            self._net.find(call.holder if call.parts[:1] == ["me"] else call.parts[0]),
            "/".join(call.parts[1:]),
        )
        try:
            answer, trouble = await self._answer(call), False
        except Trouble as exc:
            self._note(call, node[0] if node else "", edge, exc.body, trouble=True)
            raise
        if node is not None:
            self._note(call, node[0], edge, answer, trouble=trouble)
        return answer

    def _note(self, call: Call, kind: str, edge: str, answer: Any, *, trouble: bool) -> None:
        name = self._name_of(call, kind) if kind else ""
        self.seen.append(Exchange(call.method, name, edge, dict(call.params), answer, trouble, call.version))

    def problems(self) -> list[str]:
        return [problem for seen in self.seen for problem in contract().problems(seen)] if self.seen else []
