"""VK's sandbox, with every call held against the vendor's own schema of its API."""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator
from PIL import Image
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from regie.networks.data import Document, Login, Picture, Video
from regie.networks.vk.connector import Vk as Connector
from regie_sandbox.frame import World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve
from regie_sandbox.vk.app import Vk
from regie_sandbox.vk.wire import Call, Trouble

ROOT = Path(__file__).resolve().parents[3]
SPECS = Path(os.environ.get("REGIE_SPECS", ROOT / "../shared/specs")) / "vk"
MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 400
OF_EVERY_CALL = {"access_token", "v"}
TRIED_BY_OTHERS = {("wall.post", "group")}  # NOTES.md: it works, though the schema names keys of people only
ON_PAGES_ONLY = {"wall.get": {"owner_id"}}  # on dev.vk.com, and in every client
NOT_LISTED = {1051}  # an error that the schema lacks, seen by others
EVENTS = {"message_new": "callback_message_object", "wall_reply_new": "callback_wall_reply_new",
          "wall_reply_delete": "callback_wall_comment_delete"}  # fmt: skip
NOT_KEPT = {"required", "entity", "additionalProperties"}
TYPED: Mapping[str, re.Pattern[str]] = {
    "integer": re.compile(r"^-?\d+$"),
    "number": re.compile(r"^-?\d+(\.\d+)?$"),
    "boolean": re.compile(r"^[01]$"),
}


@dataclass
class Exchange:
    method: str
    params: Mapping[str, str]
    key: str  # group or user
    answer: Any
    error: int = 0


class Contract:
    """The schema, and what departs from it."""

    def __init__(self, specs: Path) -> None:
        self.specs = specs
        files = {str(path.relative_to(specs)): json.loads(path.read_bytes()) for path in specs.rglob("*.json")}
        self.files = set(files)
        self.methods = {
            one["name"]: one for name, file in files.items() if name.endswith("methods.json") for one in file["methods"]
        }
        self.codes = {one["code"] for one in files["errors.json"]["errors"].values()} | NOT_LISTED
        whole = [
            (f"vk:/{name}", Resource.from_contents(self._in_2020(file, name), DRAFT202012))
            for name, file in files.items()
            if not name.endswith("methods.json")
        ]
        self._registry = Registry().with_resources(whole)

    def _in_2020(self, schema: Any, file: str) -> Any:
        """``required`` stands in each property there, and a part of a whole forbids what the other parts add. What is
        in a file that is not at hand may be anything."""
        if isinstance(schema, list):
            return [self._in_2020(one, file) for one in schema]
        if not isinstance(schema, dict):
            return schema
        if isinstance(schema.get("$ref"), str):
            path, _, inside = schema["$ref"].partition("#")
            where = _beside(file, path) if path else file
            return {"$ref": f"vk:/{where}#{inside}"} if where in self.files else {}
        made = {name: self._in_2020(one, file) for name, one in schema.items() if name not in NOT_KEPT}
        properties = schema.get("properties")
        if isinstance(properties, dict):
            needed = [name for name, one in properties.items() if isinstance(one, dict) and one.get("required") is True]
            made["required"] = needed
        return made

    def of_event(self, event: Any) -> list[str]:
        """What departs from the schema in news that VK brings: around them, and the thing itself."""
        parts = [("callback_base", event)]
        if event["type"] in EVENTS:
            parts.append((EVENTS[event["type"]], event["object"]))
        found = []
        for name, value in parts:
            schema = {"$ref": f"vk:/callback/objects.json#/definitions/{name}"}
            validator = Draft202012Validator(schema, registry=self._registry)
            found += [f"{name}{e.json_path[1:]}: {e.message[:200]}" for e in validator.iter_errors(value)]
        return found

    def problems(self, seen: Exchange) -> list[str]:
        where = seen.method
        method = self.methods.get(where)
        if method is None:
            return [f"{where}: not described"]
        if seen.error:
            return [] if seen.error in self.codes else [f"{where}: error {seen.error} is not described"]
        allowed = seen.key in method["access_token_type"] or (where, seen.key) in TRIED_BY_OTHERS
        found = [] if allowed else [f"{where}: not with a key of kind {seen.key}"]
        return [*found, *self._request(method, seen), *self._answer(method, seen)]

    def _request(self, method: dict[str, Any], seen: Exchange) -> list[str]:
        known = {one["name"]: one for one in method.get("parameters", ())}
        allowed = known.keys() | OF_EVERY_CALL | ON_PAGES_ONLY.get(seen.method, set())
        found = [f"{seen.method}: no parameter {name}" for name in seen.params if name not in allowed]
        for name, one in known.items():
            if name in seen.params:
                found += _wrong(one, str(seen.params[name]), f"{seen.method} {name}")
            elif one.get("required") is True:
                found.append(f"{seen.method}: {name} is missing")
        return found

    def _answer(self, method: dict[str, Any], seen: Exchange) -> list[str]:
        responses = [
            self._in_2020(one, f"{seen.method.split('.')[0]}/methods.json") for one in method["responses"].values()
        ]
        kept = []
        for schema in responses:
            validator = Draft202012Validator(schema, registry=self._registry)
            errors = [f"{e.json_path}: {e.message[:200]}" for e in validator.iter_errors({"response": seen.answer})]
            if not errors:
                return []
            kept.append(f"{seen.method} {errors[:3]}")
        return kept[:1]


def _beside(file: str, path: str) -> str:
    parts: list[str] = list(PurePosixPath(file).parts[:-1])
    for part in PurePosixPath(path).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)


def _wrong(one: dict[str, Any], text: str, where: str) -> list[str]:
    kinds = one["type"] if isinstance(one["type"], list) else [one["type"]]
    if "array" in kinds:
        most = one.get("maxItems")
        return [f"{where}: more than {most}"] if most is not None and len(text.split(",")) > most else []
    if not any(kind not in TYPED or TYPED[kind].match(text) for kind in kinds):
        return [f"{where}: {text!r} is no {kinds}"]
    if "enum" in one and text not in [str(value) for value in one["enum"]]:
        return [f"{where}: {text!r} is not one of {one['enum']}"]
    if "integer" in kinds and "minimum" in one and int(text) < one["minimum"]:
        return [f"{where}: {text} is below {one['minimum']}"]
    longest = one.get("maxLength")
    return [f"{where}: too long"] if longest is not None and len(text) > longest else []


@cache
def described() -> Contract | None:
    return Contract(SPECS) if (SPECS / "errors.json").exists() else None


def contract() -> Contract:
    if (found := described()) is None:
        pytest.skip(f"VK's schema of its API is not at {SPECS}: set REGIE_SPECS")
    return found


@pytest.fixture
def schema() -> Contract:
    return contract()


@pytest.fixture
async def vk(world: World) -> AsyncIterator[Vk]:
    network = sandbox_network("vk", world)
    assert isinstance(network, Vk)
    seen: list[Exchange] = []
    answer = network.answer

    def noted(call: Call) -> Any:
        try:
            said = answer(call)
        except Trouble as exc:
            seen.append(Exchange(call.method, call.params, call.key.kind, None, exc.code))
            raise
        seen.append(Exchange(call.method, call.params, call.key.kind, json.loads(json.dumps(said))))
        return said

    network.answer = noted  # type: ignore[method-assign]
    running = await serve(world)
    yield network
    await running.close()
    if seen:
        assert [problem for one in seen for problem in contract().problems(one)] == []


@pytest.fixture
def signed_in(http: aiohttp.ClientSession, vk: Vk) -> Callable[..., Connector]:
    """``admin``: with an administrator's key too."""

    def make(*, admin: bool = True, **changed: Any) -> Connector:
        ready = vk.ready_account()
        credentials = dict(ready["credentials"])
        if not admin:
            del credentials["admin_key"]
        login = {"server": ready["server"], "remote_id": ready["remote_id"], "credentials": credentials}
        return Connector(http, Login(**{**login, **changed}))

    return make


@pytest.fixture
def connector(signed_in: Callable[..., Connector]) -> Connector:
    return signed_in()


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Picture]:
    def make(name: str = "shop.jpg", **more: Any) -> Picture:
        path = tmp_path / name
        Image.new("RGB", (100, 150), "teal").save(path)
        fields = {"content_type": "image/jpeg", "width": 100, "height": 150, "size": path.stat().st_size}
        return Picture(path=path, **{**fields, **more})

    return make


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Video]:
    """Bytes that begin as a video does: the sandbox looks no further."""

    def make(content: bytes = MOVIE, **more: Any) -> Video:
        path = tmp_path / "walk.mp4"
        path.write_bytes(content)
        fields = {"content_type": "video/mp4", "width": 720, "height": 1280, "size": len(content), "seconds": 12.0}
        return Video(path=path, **{**fields, **more})

    return make


@pytest.fixture
def document(tmp_path: Path) -> Document:
    path = tmp_path / "menu.pdf"
    path.write_bytes(b"%PDF-1.7\n")
    return Document(path=path, content_type="application/pdf", size=9, name="menu.pdf", title="The menu")
