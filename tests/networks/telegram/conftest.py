"""Telegram's sandbox, with every request and every answer held against the vendor's description of its API."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from regie.networks.data import Document, Login, Outgoing, Picture, Sound, Video
from regie.networks.telegram.connector import Telegram as Connector
from regie_sandbox.frame import World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve
from regie_sandbox.telegram.app import Telegram
from regie_sandbox.telegram.wire import Params

ROOT = Path(__file__).resolve().parents[3]
SPEC = Path(os.environ.get("REGIE_SPECS", ROOT / "../shared/specs")) / "telegram" / "api.json"
BASIC: dict[str, Callable[[Any], bool]] = {
    "Integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "Float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "String": lambda value: isinstance(value, str),
    "Boolean": lambda value: isinstance(value, bool),
    "True": lambda value: value is True,
    "InputFile": lambda value: isinstance(value, str | bytes),
}


class Spec:
    """The vendor's description of methods and types. ``problems`` names each place where a value departs from it."""

    def __init__(self, described: dict[str, Any]) -> None:
        self.methods = {name.lower(): method for name, method in described["methods"].items()}
        self.types = described["types"]

    def of_result(self, method: str, result: Any) -> list[str]:
        return self._any(self.methods[method.lower()]["returns"], result, method)

    def of_type(self, name: str, value: Any) -> list[str]:
        return self._any([name], value, name)

    def of_request(self, method: str, values: dict[str, list[Any]], files: set[str]) -> list[str]:
        """``values``: each parameter in every way in which it may be read."""
        fields = {field["name"]: field for field in self.methods[method.lower()].get("fields", [])}
        found = [f"{method}: no parameter {name}" for name in values if name not in fields]
        for name, field in fields.items():
            if name in values:
                read = [self._any(field["types"], value, f"{method}.{name}") for value in values[name]]
                found += [] if [] in read else read[0]
            elif field["required"] and name not in files:
                found.append(f"{method}: {name} is missing")
        return found

    def _any(self, types: list[str], value: Any, where: str) -> list[str]:
        tried = [self._one(name, value, where) for name in types]
        return min(tried, key=lambda found: len(found)) if all(tried) else []

    def _one(self, name: str, value: Any, where: str) -> list[str]:
        if name.startswith("Array of "):
            if not isinstance(value, list):
                return [f"{where}: not a list"]
            inner = name.removeprefix("Array of ")
            return [problem for n, each in enumerate(value) for problem in self._one(inner, each, f"{where}[{n}]")]
        if name in BASIC:
            return [] if BASIC[name](value) else [f"{where}: {value!r} is no {name}"]
        described = self.types[name]
        if subtypes := described.get("subtypes"):
            return self._any(subtypes, value, where)
        return self._fields(described, value, where)

    def _fields(self, described: dict[str, Any], value: Any, where: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{where}: not an object"]
        fields = {field["name"]: field for field in described.get("fields", [])}
        found = [f"{where}: {described['name']} has no {key}" for key in value if key not in fields]
        for key, field in fields.items():
            if key in value:
                found += self._any(field["types"], value[key], f"{where}.{key}")
            elif field["required"]:
                found.append(f"{where}: {described['name']} lacks {key}")
        return found


@cache
def described() -> Spec | None:
    return Spec(json.loads(SPEC.read_bytes())) if SPEC.exists() else None


@pytest.fixture
def spec() -> Spec:
    if (found := described()) is None:
        pytest.skip(f"Telegram's description is not at {SPEC}: set REGIE_SPECS to the folder that holds telegram/")
    return found


class Exchanges:
    """What passed over the wire. Everything is checked when the test is over."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, list[Any]], set[str], dict[str, Any]]] = []

    async def note(self, request: web.Request, answer: web.Response) -> None:
        params, body = await Params.of(request), answer.body
        assert isinstance(body, bytes)
        values = {name: _readings(value, request) for name, value in params.values.items()}
        self.seen.append((request.match_info["method"], values, set(params.files), json.loads(body)))

    def problems(self, spec: Spec) -> list[str]:
        found = []
        for method, values, files, body in self.seen:
            if method.lower() not in spec.methods:
                continue
            found += spec.of_request(method, values, files)
            if body["ok"]:
                found += spec.of_result(method, body["result"])
            else:
                found += [] if set(body) <= {"ok", "error_code", "description", "parameters"} else [str(body)]
                found += spec.of_type("ResponseParameters", body.get("parameters", {}))
        return found


def _readings(value: Any, request: web.Request) -> list[Any]:
    """In a form, everything is text, and what is no text is JSON in it."""
    if request.content_type == "application/json" or not isinstance(value, str):
        return [value]
    try:
        return [value, json.loads(value)]
    except ValueError:
        return [value]


@pytest.fixture
def exchanges() -> Iterator[Exchanges]:
    seen = Exchanges()
    yield seen
    if (spec := described()) is not None:
        assert seen.problems(spec) == []


@pytest.fixture
async def telegram(world: World, exchanges: Exchanges) -> AsyncIterator[Telegram]:
    network = sandbox_network("telegram", world)
    assert isinstance(network, Telegram)
    call = network.call

    async def noted(request: web.Request) -> web.Response:
        answer = await call(request)
        await exchanges.note(request, answer)
        return answer

    network.call = noted  # type: ignore[method-assign]
    running = await serve(world)
    yield network
    await running.close()


@pytest.fixture
async def login(telegram: Telegram, http: aiohttp.ClientSession) -> Login:
    """The ready channel, signed in as a person would."""
    return await sign_in(http, telegram, telegram.ready_account()["handle"])


async def sign_in(http: aiohttp.ClientSession, telegram: Telegram, chat: str) -> Login:
    ready = telegram.ready_account()
    fields = {"token": ready["credentials"]["token"], "chat": chat}
    signed = await Connector.sign_in(http, server=telegram.base, fields=fields)
    profile = signed.profiles[0]
    return Login(
        server=profile.server, remote_id=profile.remote_id, credentials=signed.credentials, limits=profile.limits
    )


@pytest.fixture
def channel(http: aiohttp.ClientSession, login: Login) -> Connector:
    return Connector(http, login)


@pytest.fixture
async def group(telegram: Telegram, http: aiohttp.ClientSession) -> Connector:
    """A supergroup in which the same bot is a plain member."""
    row = telegram.add_group(telegram.ready_account()["credentials"]["token"], "Runners")
    return Connector(http, await sign_in(http, telegram, str(row.id)))


def saying(text: str, **more: Any) -> Outgoing:
    return Outgoing(key="k1", text=text, planned_at=datetime(2030, 3, 1, 9, 0, tzinfo=UTC), **more)


@pytest.fixture
def post() -> Callable[..., Outgoing]:
    """Makes what a caller hands in: ``post("text", pictures=...)``."""
    return saying


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Picture]:
    """Makes a real picture file."""

    def make(width: int = 40, height: int = 30, *, name: str = "a", alt: str = "") -> Picture:
        path = tmp_path / f"{name}.png"
        Image.new("RGB", (width, height), "teal").save(path)
        return Picture(
            path=path, content_type="image/png", width=width, height=height, size=path.stat().st_size, alt=alt
        )

    return make


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Video]:
    """A video file, as far as Telegram looks into one."""

    def make(name: str = "v", **more: Any) -> Video:
        path = tmp_path / f"{name}.mp4"
        path.write_bytes(b"\0\0\0\x18ftypmp42" + name.encode() * 500)
        facts: dict[str, Any] = {"width": 640, "height": 360, "seconds": 12.4, "size": path.stat().st_size}
        return Video(path=path, content_type="video/mp4", **facts, **more)

    return make


@pytest.fixture
def document(tmp_path: Path) -> Callable[..., Document]:
    def make(name: str = "Été 2026.pdf", **more: Any) -> Document:
        path = tmp_path / "kept-under-another-name.pdf"
        path.write_bytes(b"%PDF-1.7\n" + name.encode())
        return Document(path=path, content_type="application/pdf", size=path.stat().st_size, name=name, **more)

    return make


@pytest.fixture
def sound(tmp_path: Path) -> Callable[..., Sound]:
    def make(name: str = "Episode 1.mp3", **more: Any) -> Sound:
        path = tmp_path / f"{name}"
        path.write_bytes(b"ID3" + name.encode() * 100)
        facts: dict[str, Any] = {"seconds": 61.7, "size": path.stat().st_size, "name": name}
        return Sound(path=path, content_type="audio/mpeg", **facts, **more)

    return make
