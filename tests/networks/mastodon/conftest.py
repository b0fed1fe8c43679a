"""Mastodon's sandbox, with every request and every answer held against the description of Mastodon's API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
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

from regie.networks.data import Login, Picture
from regie.networks.mastodon.connector import Mastodon as Connector
from regie_sandbox.frame import World
from regie_sandbox.mastodon.app import Mastodon
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve


@dataclass
class Exchange:
    method: str
    path: str  # as the description writes it: /api/v1/statuses/{id}
    query: list[str]
    request: Any
    is_form: bool
    status: int
    answer: Any
    ours: bool  # Mastodon.py's requests are not ours to judge


class Contract:
    """The description of the API, and what departs from it."""

    def __init__(self, described: dict[str, Any]) -> None:
        self.paths = described["paths"]
        self._schemas = Schemas(described)

    def problems(self, seen: Exchange) -> list[str]:
        operation = self.paths.get(seen.path, {}).get(seen.method.lower())
        if operation is None:
            return []  # a page, or an address that the description leaves out
        where = f"{seen.method} {seen.path}"
        return [
            *self._query(operation, seen, where),
            *self._request(operation, seen, where),
            *self._answer(operation, seen, where),
        ]

    def _query(self, operation: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        known = {one["name"] for one in operation.get("parameters", ()) if one.get("in") == "query"}
        return [f"{where}: no parameter {one}" for one in seen.query if one.removesuffix("[]") not in known]

    def _request(self, operation: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        content = operation.get("requestBody", {}).get("content", {})
        schema = next((one["schema"] for one in content.values()), None)
        if schema is None or seen.request is None or not seen.ours:
            return []
        if seen.is_form:  # all values of a form are text: its names can be checked, its types cannot
            return [f"{where}: no field {name}" for name in seen.request if name not in schema.get("properties", {})]
        found = list(undescribed(seen.request, schema, found=self._schemas.found, where=f"{where} request"))
        # Text with pictures fits two of the three, which the description forbids by mistake: each that fits must hold.
        kinds = [self._schemas.found(one) for one in schema.get("oneOf", [schema])]
        fitting = [one for one in kinds if self._needed(one) <= set(seen.request)]
        if not fitting:
            found.append(f"{where} request: it is none of those described")
        return found + [
            error for one in fitting for error in self._schemas.problems(one, seen.request, f"{where} request")
        ]

    def _needed(self, schema: Mapping[str, Any]) -> set[str]:
        inner = [self._needed(self._schemas.found(one)) for one in schema.get("allOf", ())]
        return set(schema.get("required", ())).union(*inner)

    def _answer(self, operation: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        if seen.status == 403:  # of a token's scopes: described once for all calls, in api/oauth-scopes
            return []
        described = operation["responses"].get(str(seen.status))
        if described is None:
            return [f"{where}: {seen.status} is not described"]
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        return self._schemas.problems(schema, seen.answer, f"{where} {seen.status}") if schema else []


@cache
def contract() -> Contract:
    return Contract(json.loads(needed("mastodon", "openapi.json").read_text()))


async def noted(request: web.Request, answer: web.Response) -> Exchange:
    is_form, body = request.content_type != "application/json", None
    if request.method in ("POST", "PUT") and request.body_exists:
        body = dict(await request.post()) if is_form else await request.json()
    told = said(answer) if answer.content_type == "application/json" else None
    return Exchange(
        request.method, canonical(request), list(request.query), body, is_form, answer.status, told, by_aiohttp(request)
    )


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(noted)


@pytest.fixture
async def mastodon(world: World, recorder: Recorder) -> AsyncIterator[Mastodon]:
    network = sandbox_network("mastodon", world)
    assert isinstance(network, Mastodon)
    recorder.at(network)
    running = await serve(world)
    yield network
    await running.close()


@pytest.fixture(autouse=True)
def everything_said_is_as_described(recorder: Recorder) -> Iterator[None]:
    yield
    if recorder.seen:
        found = [problem for seen in recorder.seen for problem in contract().problems(seen)]
        assert found == []


@pytest.fixture
def login(mastodon: Mastodon) -> Login:
    ready = mastodon.ready_account()
    limits = {"software": "mastodon", "api_version": 7, "honours_key": True, "streaming": mastodon.base}
    return Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"], limits=limits)


@pytest.fixture
def connector(http: aiohttp.ClientSession, login: Login) -> Connector:
    return Connector(http, login)


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    path = tmp_path / "shop.png"
    Image.new("RGB", (80, 60), "teal").save(path)
    return Picture(
        path=path,
        content_type="image/png",
        width=80,
        height=60,
        size=path.stat().st_size,
        alt="A teal window",
        focus=(0.5, -0.25),
    )
