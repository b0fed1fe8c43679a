"""Bluesky's sandbox, with every request and every answer held against the vendor's lexicons."""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from regie.networks.bluesky.connector import Bluesky as Connector
from regie.networks.bluesky.sign_in import Addresses
from regie.networks.data import Login, Outgoing, Picture
from regie.networks.text import graphemes
from regie_sandbox.bluesky.app import Bluesky
from regie_sandbox.frame import World
from regie_sandbox.server import serve

ROOT = Path(__file__).resolve().parents[3]
LEXICONS = Path(os.environ.get("REGIE_SPECS", ROOT / "../shared/specs")) / "bluesky" / "lexicons"
PLANNED = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)
FOR_EVER = datetime.max.replace(tzinfo=UTC)
FORMATS = {
    "at-uri": r"at://[a-zA-Z0-9._:%-]+(/[a-zA-Z0-9.-]+(/[a-zA-Z0-9_~.:-]+)?)?",
    "at-identifier": r"did:[a-z]+:[a-zA-Z0-9._:%-]+|([a-zA-Z0-9-]+\.)+[a-zA-Z]+",
    "cid": r"b[a-z2-7]{58}",
    "datetime": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
    "did": r"did:[a-z]+:[a-zA-Z0-9._:%-]+",
    "handle": r"([a-zA-Z0-9-]+\.)+[a-zA-Z]+",
    "nsid": r"[a-zA-Z][a-zA-Z0-9-]*(\.[a-zA-Z0-9-]+)+\.[a-zA-Z][a-zA-Z0-9]*",
    "tid": r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}",
    "record-key": r"[a-zA-Z0-9_~.:-]{1,512}",
    "uri": r"\w+:(//)?[^\s/]\S*",
    "language": r"(i|[a-z]{2,3})(-[a-zA-Z0-9]+)*",
}

# What the vendor's own tutorial sends and the lexicon does not know: https://docs.bsky.app/docs/tutorials/video
UNDESCRIBED = {"app.bsky.video.uploadVideo": {"did", "name"}}


class Lexicons:
    """The vendor's descriptions. ``problems`` names each place where a value departs from one."""

    @staticmethod
    @cache
    def _file(nsid: str) -> Any:
        return json.loads((LEXICONS / Path(*nsid.split("."))).with_suffix(".json").read_text())["defs"]

    def problems(self, ref: str, value: Any) -> list[str]:
        nsid, _, name = ref.partition("#")
        return list(self._check(self._file(nsid)[name or "main"], value, nsid, ref))

    def of_call(self, call: Recorded) -> list[str]:
        main = self._file(call.nsid)["main"]
        found = list(self._params(main.get("parameters"), call))
        if "input" in main and "schema" in main["input"]:
            found += self._check(main["input"]["schema"], call.sent, call.nsid, f"{call.nsid} input")
            if isinstance(call.sent, dict) and "record" in call.sent:
                found += self.problems(call.sent["collection"], call.sent["record"])
        if "output" in main and "schema" in main["output"]:
            found += self._check(main["output"]["schema"], call.got, call.nsid, f"{call.nsid} output")
        return found

    def _params(self, described: Any, call: Recorded) -> Iterator[str]:
        known = described["properties"] if described else {}
        unknown = set(call.query) - set(known) - UNDESCRIBED.get(call.nsid, set())
        yield from (f"{call.nsid}: no parameter {name}" for name in unknown)
        for name in described.get("required", ()) if described else ():
            if name not in call.query:
                yield f"{call.nsid}: {name} is missing"
        for name, values in call.query.items():
            if name in known:
                kind = known[name]
                value: Any = values if kind["type"] == "array" else values[0]
                if kind["type"] in ("integer", "boolean"):
                    value = json.loads(value)
                yield from self._check(kind, value, call.nsid, f"{call.nsid}?{name}")

    def _check(self, kind: Mapping[str, Any], value: Any, nsid: str, where: str) -> Iterator[str]:
        match kind["type"]:
            case "ref":
                ref = kind["ref"]
                yield from self.problems(nsid + ref if ref.startswith("#") else ref, value)
            case "union":
                yield from self._union(kind, value, nsid, where)
            case "record":
                yield from self._check(kind["record"], value, nsid, where)
            case "object" | "params":
                yield from self._object(kind, value, nsid, where)
            case "array":
                yield from self._array(kind, value, nsid, where)
            case "string":
                yield from self._string(kind, value, where)
            case "integer":
                if not isinstance(value, int) or isinstance(value, bool):
                    yield f"{where}: {value!r} is no integer"
                elif not kind.get("minimum", value) <= value <= kind.get("maximum", value):
                    yield f"{where}: {value} is out of range"
            case "boolean":
                if not isinstance(value, bool) or kind.get("const", value) != value:
                    yield f"{where}: {value!r} is not the boolean asked for"
            case "blob":
                if not isinstance(value, dict) or value.get("$type") != "blob" or "$link" not in value.get("ref", {}):
                    yield f"{where}: {value!r} is no blob"
            case "unknown":
                if not isinstance(value, dict):
                    yield f"{where}: {value!r} is no object"
            case other:
                yield f"{where}: this checker does not know {other}"

    def _union(self, kind: Mapping[str, Any], value: Any, nsid: str, where: str) -> Iterator[str]:
        refs = [nsid + ref if ref.startswith("#") else ref for ref in kind["refs"]]
        name = value.get("$type", "") if isinstance(value, dict) else ""
        if name.removesuffix("#main") in refs:
            yield from self.problems(name, value)
        else:
            yield f"{where}: {name!r} is none of {refs}"

    def _object(self, kind: Mapping[str, Any], value: Any, nsid: str, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where}: {value!r} is no object"
            return
        yield from (f"{where}: {name} is missing" for name in kind.get("required", ()) if name not in value)
        for name, described in kind.get("properties", {}).items():
            if name in value and not (value[name] is None and name in kind.get("nullable", ())):
                yield from self._check(described, value[name], nsid, f"{where}.{name}")
        unknown = set(value) - set(kind.get("properties", {})) - {"$type"}
        yield from (f"{where}: nobody described {name}" for name in unknown)

    def _array(self, kind: Mapping[str, Any], value: Any, nsid: str, where: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{where}: {value!r} is no list"
            return
        if len(value) > kind.get("maxLength", len(value)):
            yield f"{where}: {len(value)} are too many"
        for nth, item in enumerate(value):
            yield from self._check(kind["items"], item, nsid, f"{where}[{nth}]")

    def _string(self, kind: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{where}: {value!r} is no text"
            return
        if len(value.encode()) > kind.get("maxLength", 1 << 30) or graphemes(value) > kind.get("maxGraphemes", 1 << 30):
            yield f"{where}: too long"
        if (name := kind.get("format")) and not re.fullmatch(FORMATS[name], value):
            yield f"{where}: {value!r} is no {name}"


@dataclass
class Recorded:
    """One call that went well: what was sent and what came back."""

    nsid: str
    query: dict[str, list[str]]
    sent: Any
    got: Any


@dataclass
class Watched:
    calls: list[Recorded] = field(default_factory=list)


class WatchedBluesky(Bluesky):
    """The sandbox, keeping a note of every call that it carried out."""

    watched: Watched

    async def _xrpc(self, request: web.Request) -> web.Response:
        answer = await super()._xrpc(request)
        if answer.status == 200:
            query = {name: request.query.getall(name) for name in request.query}
            is_json = request.content_type == "application/json" and request.method == "POST"
            sent = json.loads(await request.read()) if is_json else None
            got = json.loads(answer.body) if answer.content_type == "application/json" and answer.body else None  # type: ignore[arg-type]
            self.watched.calls.append(Recorded(request.match_info["nsid"], query, sent, got))
        return answer


@pytest.fixture
def lexicons() -> Lexicons:
    if not LEXICONS.is_dir():
        pytest.skip(f"the vendor's lexicons are not at {LEXICONS}: set REGIE_SPECS")
    return Lexicons()


@pytest.fixture
async def bluesky(world: World) -> AsyncIterator[Bluesky]:
    """Bluesky's sandbox, served; at the end every call is checked, where the lexicons are at hand."""
    network = WatchedBluesky(world)
    network.watched = Watched()
    running = await serve(world)
    yield network
    await running.close()
    if LEXICONS.is_dir():
        lexicons = Lexicons()
        assert [problem for call in network.watched.calls for problem in lexicons.of_call(call)] == []


@pytest.fixture
def login(bluesky: Bluesky) -> Login:
    """@regie.test, signed in with an app password."""
    ready = bluesky.ready_account()
    return Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"])


@pytest.fixture
def connector(http: aiohttp.ClientSession, login: Login) -> Connector:
    return Connector(http, login)


@pytest.fixture
def addressed(bluesky: Bluesky, monkeypatch: pytest.MonkeyPatch) -> type[Connector]:
    """The connector's class with the sandbox's addresses in its settings, as the product sets them at its start."""
    monkeypatch.setattr(Connector, "addresses", Addresses(plc=bluesky.base, web="https://bsky.app", video=bluesky.base))
    monkeypatch.setattr(Connector, "default_server", bluesky.base)
    return Connector


@pytest.fixture
def outgoing() -> Callable[..., Outgoing]:
    """A step to publish, safe to repeat for ever unless said otherwise."""

    def made(text: str = "Good morning", *, key: str = "one", **more: Any) -> Outgoing:
        return Outgoing(key=key, text=text, **{"planned_at": PLANNED, "repeat_until": FOR_EVER, **more})

    return made


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    path = tmp_path / "picture.png"
    Image.linear_gradient("L").resize((64, 48)).save(path)
    return Picture(
        path=path, content_type="image/png", width=64, height=48, size=path.stat().st_size, alt="Un dégradé gris"
    )
