"""Pinterest's sandbox, with every request and every answer held against the vendor's own description of its API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from contracts import Recorder, Schemas, by_aiohttp, canonical, needed, said
from described_names import undescribed
from PIL import Image

from regie.networks.data import AppKeys, Login, Picture, Video
from regie.networks.pinterest.connector import Pinterest as Connector
from regie_sandbox.frame import World
from regie_sandbox.pinterest.app import Pinterest
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve

MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 4000  # a megabyte
IN_WORDS_ONLY = {"continuous_refresh"}  # the description of /oauth/token tells of it in its text, not in its schema


@dataclass
class Exchange:
    method: str
    path: str  # as the description writes it: /pins/{pin_id}
    query: Mapping[str, str]
    request: Any
    is_form: bool
    status: int
    answer: Any
    ours: bool  # the requests of other clients are not ours to judge


class Contract:
    """The description of the API, and what departs from it."""

    def __init__(self, described: dict[str, Any]) -> None:
        self.described, self.paths = described, described["paths"]
        self._schemas = Schemas(_in_2020(described))

    def problems(self, seen: Exchange) -> list[str]:
        where = f"{seen.method} {seen.path}"
        operation = self.paths.get(seen.path, {}).get(seen.method.lower())
        if operation is None:
            return [f"{where} is not described"]
        found = self._answer(operation, seen, where)
        if seen.ours and seen.status != 400:  # then it was wrong on purpose, and was told so
            found += [*self._query(operation, seen, where), *self._request(operation, seen, where)]
        return found

    def _query(self, operation: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        described = [self._found(one) for one in operation.get("parameters", ())]
        known = {one["name"]: one for one in described if one["in"] == "query"}
        found = [f"{where}: no parameter {name}" for name in seen.query if name not in known]
        for name, one in known.items():
            if name in seen.query:
                schema = self._found(one["schema"])
                found += self._errors(schema, _typed(seen.query[name], schema), f"{where} ?{name}")
            elif one.get("required"):
                found.append(f"{where}: {name} is missing")
        return found

    def _found(self, one: dict[str, Any]) -> dict[str, Any]:
        found: Any = one
        if "$ref" in one:
            found = self.described
            for name in one["$ref"].removeprefix("#/").split("/"):
                found = found[name]
        return dict(found)

    def _request(self, operation: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        content = operation.get("requestBody", {}).get("content", {})
        kind = "application/x-www-form-urlencoded" if seen.is_form else "application/json"
        if not content:
            return [f"{where}: no body is described"] if seen.request is not None else []
        if kind not in content:
            return [f"{where}: a body of {kind} is not described"]
        if not seen.is_form:
            schema = content[kind]["schema"]
            return [
                *undescribed(seen.request, schema, found=self._found, where=f"{where} request"),
                *self._errors(schema, seen.request, f"{where} request"),
            ]
        # By the schema that the value of grant_type points to; unknown names count, as a form has nothing optional.
        schema = self._found(content[kind]["schema"])
        exact = schema.get("discriminator", {}).get("mapping", {}).get(seen.request.get("grant_type"))
        names = self._names({"$ref": exact} if exact else schema)
        unknown = [name for name in seen.request if name not in names | IN_WORDS_ONLY]
        return [
            *[f"{where}: no field {name}" for name in unknown],
            *self._errors({"$ref": exact} if exact else schema, seen.request, f"{where} form"),
        ]

    def _names(self, schema: dict[str, Any]) -> set[str]:
        found = self._found(schema)
        return set(found.get("properties", ())).union(*[self._names(one) for one in found.get("allOf", ())])

    def _answer(self, operation: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        described = operation["responses"].get(str(seen.status)) or operation["responses"].get("default")
        if described is None:
            return [f"{where}: {seen.status} is not described"]
        schema = self._found(described).get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return [f"{where} {seen.status}: nothing was to be said"] if seen.answer is not None else []
        return self._errors(schema, seen.answer, f"{where} {seen.status}")

    def _errors(self, schema: dict[str, Any], value: Any, where: str) -> list[str]:
        found: list[str] = self._schemas.problems(_in_2020(schema), value, where)
        return found


def _typed(text: str, schema: dict[str, Any]) -> Any:
    match schema.get("type"):
        case "integer":
            return int(text) if text.lstrip("-").isdigit() else text
        case "boolean":
            return {"true": True, "false": False}.get(text, text)
        case "array":
            return text.split(",")
    return text


def _in_2020(schema: Any) -> Any:
    """OpenAPI 3.0 writes ``nullable``, and says oneOf of lists that overlap (the metrics of pictures and videos)."""
    if isinstance(schema, list):
        return [_in_2020(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _in_2020(one) for name, one in schema.items()}
    if schema.get("type") == "array" and "oneOf" in made.get("items", {}):
        made["items"]["anyOf"] = made["items"].pop("oneOf")
    return {"anyOf": [made, {"type": "null"}]} if made.pop("nullable", False) is True else made


@cache
def contract() -> Contract:
    return Contract(json.loads(needed("pinterest", "openapi.json").read_bytes()))


async def noted(request: web.Request, answer: web.Response) -> Exchange | None:
    path = canonical(request).removeprefix("/trial")
    if not path.startswith("/v5/"):
        return None
    is_form, body = request.content_type == "application/x-www-form-urlencoded", None
    if request.method in ("POST", "PATCH") and request.body_exists:
        body = dict(await request.post()) if is_form else await request.json()
    return Exchange(
        request.method,
        path.removeprefix("/v5"),
        dict(request.query),
        body,
        is_form,
        answer.status,
        said(answer),
        by_aiohttp(request),
    )


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(noted)


@pytest.fixture(autouse=True)
def everything_said_is_as_described(recorder: Recorder) -> Iterator[None]:
    yield
    if recorder.seen:
        assert [problem for seen in recorder.seen for problem in contract().problems(seen)] == []


@pytest.fixture
async def pinterest(world: World, recorder: Recorder) -> AsyncIterator[Pinterest]:
    network = sandbox_network("pinterest", world)
    assert isinstance(network, Pinterest)
    recorder.at(network)
    running = await serve(world)
    yield network
    await running.close()


@pytest.fixture
def signed_in(http: aiohttp.ClientSession, pinterest: Pinterest) -> Callable[..., Connector]:
    """The ready account; ``trial``: through an app on trial access."""

    def make(*, trial: bool = False, **changed: Any) -> Connector:
        ready = pinterest.ready_account()
        given = {**ready, **ready["trial"]} if trial else ready
        login = {
            "server": given["server"],
            "remote_id": given["remote_id"],
            "credentials": given["credentials"],
            "app": AppKeys(client_id=given["client_id"], client_secret=given["client_secret"]),
            "limits": {"trial": trial, "username": "regie"},
        }
        return Connector(http, Login(**{**login, **changed}))

    return make


@pytest.fixture
def connector(signed_in: Callable[..., Connector]) -> Connector:
    return signed_in()


@pytest.fixture
def board(pinterest: Pinterest) -> str:
    return str(pinterest.ready_account()["options"]["board"])


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Picture]:
    def make(name: str = "shop.jpg", **more: Any) -> Picture:
        path = tmp_path / name
        Image.new("RGB", (100, 150), "teal").save(path)
        kind = "image/png" if name.endswith("png") else "image/jpeg"
        fields = {"content_type": kind, "width": 100, "height": 150, "size": path.stat().st_size}
        return Picture(path=path, **{**fields, **more})

    return make


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Video]:
    """Bytes that begin as a video does: the sandbox looks no further."""

    def make(content: bytes = MOVIE, **more: Any) -> Video:
        path = tmp_path / "walk.mp4"
        path.write_bytes(content)
        fields = {"content_type": "video/mp4", "width": 1080, "height": 1920, "size": len(content), "seconds": 12.0}
        return Video(path=path, **{**fields, **more})

    return make
