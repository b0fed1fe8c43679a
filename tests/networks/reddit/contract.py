"""What Reddit was seen to say and PRAW to ask, against what our connector asks and our sandbox says.

Reddit describes its API for people only. PRAW's endpoints name the paths, verbs and fields it uses; its recordings are
real exchanges. A field that neither knows, or a value of a type never seen in its place, is a problem.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from contracts import needed, said

OF_LISTINGS = {"limit", "after", "before", "count", "sort", "state", "t", "mark", "raw_json", "id", "api_type"}
BY_HAND = {  # read in PRAW's code, where the extract saw no field names at the call
    "api/submit": {"kind", "url", "video_poster_url", "flair_id", "flair_text"},
    "api/submit_gallery_post.json": {"items", "show_error_list", "flair_id"},
    "api/submit_poll_post": {"options", "duration", "flair_id"},
    "api/media/asset.json": {"filepath", "mimetype"},
    "api/v1/access_token": {"grant_type", "code", "redirect_uri", "refresh_token"},
    "api/v1/revoke_token": {"token", "token_type_hint"},
}
OF_THE_USER = ("user/{}/submitted", "user/{}/comments")  # PRAW puts these together as it goes
SINCE_THEN = {"t1": {"permalink": {"text"}}}  # NOTES.md: the recordings of comments outside the inbox are of 2016
LISTS = {("GET", "api/mod/conversations")}  # PRAW reads lists through one class, so the extract saw no call
KINDS = ("t1", "t3", "t4", "t5")


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str  # without slashes at its ends
    names: frozenset[str]  # of the query and the body
    status: int
    answer: Any
    ours: bool  # PRAW's requests are not ours to judge


def kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case list():
            return "list"
    return "object"


def things_in(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Everything that has a kind, however deep."""
    if isinstance(value, dict):
        if value.get("kind") in KINDS and isinstance(value.get("data"), dict):
            yield value["kind"], value["data"]
        for one in value.values():
            yield from things_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from things_in(one)


@dataclass
class Seen:
    """Fields of each kind of thing and of each plain answer, with the types of their values."""

    things: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    plain: dict[str, dict[str, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    asked: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def learn(self, method: str, path: str, request: Any, answer: Any) -> None:
        self.asked[f"{method} {path}"] |= names_in(request)
        for kind, data in things_in(answer):
            for name, value in data.items():
                self.things[kind][name].add(kind_of(value))
        for name, value in plain_of(answer):
            self.plain[f"{method} {path}"][name].add(kind_of(value))


def names_in(body: Any) -> set[str]:
    if isinstance(body, dict):
        return set(body)
    text = body if isinstance(body, str) else ""
    try:
        found = json.loads(text)
        return set(found) if isinstance(found, dict) else set()
    except ValueError:
        return {name for name, _ in parse_qsl(text, keep_blank_values=True)}


def plain_of(answer: Any) -> Iterator[tuple[str, Any]]:
    """Of an answer that is no thing: its fields, and those of ``json`` and ``json.data``."""
    if not isinstance(answer, dict) or "kind" in answer:
        return
    yield from answer.items()
    inner = answer.get("json")
    if isinstance(inner, dict):
        yield from ((f"json.{name}", value) for name, value in inner.items())
        if isinstance(inner.get("data"), dict):
            yield from ((f"json.data.{name}", value) for name, value in inner["data"].items())


class Contract:
    def __init__(self, endpoints: dict[str, Any], recordings: list[dict[str, Any]]) -> None:
        self.paths: dict[str, tuple[re.Pattern[str], set[str], set[str]]] = {}
        for one in endpoints.values():
            name = re.sub(r"\{\w+\}", "{}", one["path"].strip("/"))
            verbs = {call["verb"].upper() for call in one["calls"]}
            keys = {key for call in one["calls"] for key in call["form_or_query_keys_seen"]}
            kept = self.paths.get(name, (re.compile(""), set(), set()))
            pattern = re.compile(re.escape(name).replace(r"\{\}", "[^/]+"))
            self.paths[name] = pattern, kept[1] | verbs, kept[2] | keys
        for name in ("api/v1/access_token", "api/v1/revoke_token", *OF_THE_USER):
            self.paths[name] = re.compile(re.escape(name).replace(r"\{\}", "[^/]+")), set(), set()
        self.seen = Seen()
        for recording in recordings:
            for one in recording["interactions"]:
                parts = urlsplit(one["request"]["uri"])
                if (known := self.name_of(parts.path)) is not None:
                    self.seen.learn(one["request"]["method"], known, one["request"]["body"], one["response"]["body"])

    def name_of(self, path: str) -> str | None:
        path = path.strip("/")
        return next((name for name, (pattern, _, _) in self.paths.items() if pattern.fullmatch(path)), None)

    def problems(self, seen: Exchange) -> list[str]:
        name = self.name_of(seen.path)
        if name is None:
            return [f"{seen.method} {seen.path}: PRAW knows no such call"]
        return [*self._of_request(name, seen), *self._of_answer(name, seen)]

    def _of_request(self, name: str, seen: Exchange) -> Iterator[str]:
        if not seen.ours:
            return
        _, verbs, keys = self.paths[name]
        recorded = f"{seen.method} {name}" in self.seen.asked or (seen.method, name) in LISTS
        if verbs and "REQUEST" not in verbs and seen.method not in verbs and not recorded:
            yield f"{seen.method} {name}: PRAW asks with {sorted(verbs)}"
        known = keys | self.seen.asked[f"{seen.method} {name}"] | OF_LISTINGS | BY_HAND.get(name, set())
        yield from (f"{seen.method} {name}: no field {one}" for one in sorted(seen.names - known))

    def _of_answer(self, name: str, seen: Exchange) -> Iterator[str]:
        for kind, data in things_in(seen.answer):
            known = {**self.seen.things[kind], **SINCE_THEN.get(kind, {})}
            for one, value in data.items():
                yield from self._of_value(known, one, value, f"{name}: {kind}")
        known = self.seen.plain.get(f"{seen.method} {name}", {})
        if seen.status == 200 and known:
            for one, value in plain_of(seen.answer):
                if one not in ("json.errors", "json.ratelimit", "error"):
                    yield from self._of_value(known, one, value, name)

    @staticmethod
    def _of_value(known: dict[str, set[str]], name: str, value: Any, where: str) -> Iterator[str]:
        if name not in known:
            yield f"{where} has no field {name}"
        elif kind_of(value) not in known[name] and value is not None and known[name] != {"null"}:
            yield f"{where}.{name} is {kind_of(value)}, seen as {sorted(known[name])}"


@cache
def contract() -> Contract:
    endpoints = json.loads(needed("reddit", "praw-endpoints.json").read_text())["endpoints"]
    recordings = sorted(needed("reddit", "recordings").glob("*.json"))
    return Contract(endpoints, [json.loads(path.read_text()) for path in recordings])


async def noted(request: web.Request, answer: web.Response) -> Exchange | None:
    """Of everything that is said at the sandbox's door; its store and its sign-in page are no part of the API."""
    if answer.content_type != "application/json":
        return None
    names = set(request.query)
    if request.method == "POST":
        names |= set(await request.json()) if request.content_type == "application/json" else set(await request.post())
    ours = request.headers.get("User-Agent", "").startswith("web:regie:")
    path = request.path.strip("/")
    return Exchange(request.method, path, frozenset(names), answer.status, said(answer), ours)
