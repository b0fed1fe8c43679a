"""X's sandbox, with every request and every answer held against the vendor's own description of API v2."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from contracts import Recorder, Schemas, by_aiohttp, canonical, needed, said
from described_names import undescribed

from regie.networks.data import AppKeys, Login
from regie.networks.x.connector import X as Connector
from regie.networks.x.sign_in import SCOPES
from regie_sandbox.frame import World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve
from regie_sandbox.x.app import X

NOT_LISTED = ("about:blank", "client-forbidden", "unsupported-authentication", "rate-limit-exceeded", "usage-capped")


@dataclass
class Exchange:
    method: str
    path: str  # with {} for what varies
    query: dict[str, str]
    request: Any
    is_form: bool
    status: int
    answer: Any
    as_app: bool
    ours: bool  # the client library's requests are not ours to judge


class Contract:
    """The description (version 2.167), and what departs from it."""

    def __init__(self, described: dict[str, Any]) -> None:
        self._parameters = described["components"]["parameters"]
        self.paths = {re.sub(r"\{[^}]*\}", "{}", path): one for path, one in described["paths"].items()}
        self._schemas = Schemas(described)
        self.problem_types = set(re.findall(r"https://api\.x\.com/2/problems/[a-z-]+", json.dumps(described)))

    def problems(self, seen: Exchange) -> list[str]:
        operation = self.paths.get(seen.path, {}).get(seen.method.lower())
        if operation is None:
            return [f"{seen.method} {seen.path} is not described"] if seen.path.startswith("/2/") else []
        where = f"{seen.method} {seen.path}"
        asked = [*self._query(operation, seen, where), *self._request(operation, seen, where)] if seen.ours else []
        return [*asked, *self._allowed(operation, seen, where), *self._answer(operation, seen, where)]

    def _allowed(self, operation: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        """The token is of a kind that the call takes, and the scopes that it wants are among those we ask for."""
        ways = [(kind, scopes) for one in operation.get("security", ()) for kind, scopes in one.items()]
        wanted = "BearerToken" if seen.as_app else "OAuth2UserToken"
        fits = any(kind == wanted and set(scopes) <= {*SCOPES} for kind, scopes in ways)
        return [] if fits or seen.status in (401, 403) else [f"{where}: a token of another kind, or a scope is missing"]

    def _query(self, operation: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        known = {}
        for one in operation.get("parameters", ()):
            described = self._parameters[one["$ref"].rsplit("/", 1)[-1]] if "$ref" in one else one
            if described["in"] == "query":
                known[described["name"]] = described
        found = [f"{where}: no parameter {name}" for name in seen.query if name not in known]
        for name, described in known.items():
            if name in seen.query:
                schema = described["schema"]
                found += self._schemas.problems(schema, _typed(schema, seen.query[name]), where)
            elif described.get("required"):
                found.append(f"{where}: {name} is missing")
        return found

    def _request(self, operation: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("multipart/form-data" if seen.is_form else "application/json", {}).get("schema")
        if seen.request is None:
            return [f"{where}: a body is missing"] if operation.get("requestBody", {}).get("required") else []
        if schema is None:
            return [f"{where}: no such body"]
        if not seen.is_form:
            return [
                *undescribed(seen.request, schema, found=self._schemas.found, where=f"{where} request"),
                *self._schemas.problems(schema, seen.request, f"{where} request"),
            ]
        wanted = self._schemas.found(schema)
        found = [f"{where}: no field {name}" for name in seen.request if name not in wanted["properties"]]
        return found + [f"{where}: {name} is missing" for name in wanted["required"] if name not in seen.request]

    def _answer(self, operation: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        if seen.status >= 400:
            return self._problem(operation, seen, where)
        described = operation["responses"].get(str(seen.status))
        if described is None:
            return [f"{where}: {seen.status} is not described"]
        schema = described["content"]["application/json"]["schema"]
        found: list[str] = self._schemas.problems(schema, seen.answer, f"{where} {seen.status}")
        return found

    def _problem(self, operation: dict[str, Any], seen: Exchange, where: str) -> list[str]:
        said = seen.answer if isinstance(seen.answer, dict) else {}
        if said.get("type") in self.problem_types and "default" in operation["responses"]:
            schema = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
            found: list[str] = self._schemas.problems(schema, said, f"{where} {seen.status}")
            return found
        known = str(said.get("type", "")).rsplit("/", 1)[-1] in {one.rsplit("/", 1)[-1] for one in NOT_LISTED}
        whole = known and {"title", "detail", "type", "status"} <= set(said) and said["status"] == seen.status
        return [] if whole else [f"{where} {seen.status}: {said} is no problem of X's"]


def _typed(schema: dict[str, Any], value: str) -> Any:
    """A query's text as what it stands for."""
    match schema.get("type"):
        case "array":
            return value.split(",")
        case "integer":
            return int(value) if value.lstrip("-").isdigit() else value
    return value


@cache
def contract() -> Contract:
    return Contract(json.loads(needed("x", "openapi.json").read_text()))


async def noted(request: web.Request, answer: web.Response) -> Exchange | None:
    path = canonical(request)
    outside = request.path.startswith("/_sandbox") or "oauth2" in request.path or "json" not in answer.content_type
    if not path or outside:
        return None
    is_form, body = request.content_type == "multipart/form-data", None
    if request.method in ("POST", "PUT") and request.body_exists:
        body = dict(await request.post()) if is_form else json.loads(await request.read() or b"null")
    return Exchange(
        method=request.method,
        path=re.sub(r"\{[^}]*\}", "{}", path),
        query=dict(request.query),
        request=body,
        is_form=is_form,
        status=answer.status,
        answer=said(answer),
        as_app=request.headers.get("Authorization", "").startswith("Bearer AAAA"),
        ours=by_aiohttp(request),
    )


@pytest.fixture
def recorder() -> Recorder:
    return Recorder(noted)


@pytest.fixture
async def x(world: World, recorder: Recorder) -> AsyncIterator[X]:
    net = sandbox_network("x", world)
    assert isinstance(net, X)
    recorder.at(net)
    running = await serve(world)
    yield net
    await running.close()


@pytest.fixture(autouse=True)
def everything_said_is_as_described(recorder: Recorder) -> Iterator[None]:
    yield
    if recorder.seen:
        found = [problem for seen in recorder.seen for problem in contract().problems(seen)]
        assert found == []


@pytest.fixture
def app(x: X) -> AppKeys:
    """The operator's registration at X, with the keys that webhooks need."""
    made = x.ready_app()
    return AppKeys(
        client_id=made.client_id,
        client_secret=made.client_secret,
        extra={"api_key": made.api_key, "api_secret": made.api_secret, "plan": made.plan},
    )


@pytest.fixture
def login(x: X, app: AppKeys) -> Login:
    ready = x.ready_account()
    limits = {"username": "regie", "subscription": "None", "plan": "pay-per-use"}
    return Login(
        server=ready["server"],
        remote_id=ready["remote_id"],
        credentials=ready["credentials"],
        app=app,
        limits=limits,
    )


@pytest.fixture
def connector(http: aiohttp.ClientSession, login: Login) -> Connector:
    return Connector(http, login)


@pytest.fixture
def enterprise(x: X, http: aiohttp.ClientSession, login: Login) -> Connector:
    """The same account through an app whose plan allows likes and quotes."""
    x.ready_app().plan = "enterprise"
    return Connector(http, replace(login, limits={**login.limits, "plan": "enterprise"}))
