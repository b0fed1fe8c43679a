"""What the contract checks of several networks have in common: where the vendors' descriptions are, who writes down
what passes at a sandbox's door, and values held against JSON Schema.

What a description says, and where the vendor departs from it, is in each network's own folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from regie_sandbox.frame import Network

SPECS = Path(os.environ.get("REGIE_SPECS", Path(__file__).resolve().parents[2] / "../shared/specs"))
Schema = Mapping[str, Any]
Noted = Callable[[web.Request, web.Response], Awaitable[Any]]


def needed(*parts: str) -> Path:
    """``needed("x", "openapi.json")``: a description among ``SPECS``; where it is not at hand the test is skipped."""
    path = SPECS.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the description {'/'.join(parts)} is not in {SPECS} (set REGIE_SPECS)")
    return path


class Schemas:
    """A description with JSON Schemas in it. ``problems``: where a value departs from one of them.

    ``described`` is as JSON Schema 2020-12 wants it; its own ``$ref`` begin with "#".
    """

    def __init__(self, described: dict[str, Any]) -> None:
        self._registry = Registry().with_resource("api:", Resource.from_contents(described, DRAFT202012)).crawl()
        self._compiled: dict[str, Draft202012Validator] = {}

    def problems(self, schema: Schema, value: Any, where: str) -> list[str]:
        name = json.dumps(schema)
        if name not in self._compiled:
            self._compiled[name] = Draft202012Validator(_absolute(schema), registry=self._registry)
        found = self._compiled[name].iter_errors(value)
        return [f"{where} {error.json_path}: {error.message[:300]}" for error in found]

    def found(self, schema: Schema) -> Schema:
        """What a ``$ref`` stands for; any other schema is itself."""
        if "$ref" not in schema:
            return schema
        contents: Schema = self._registry.resolver("api:").lookup(f"api:{schema['$ref']}").contents
        return contents


def _absolute(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            name: f"api:{one}" if name == "$ref" and one.startswith("#") else _absolute(one)
            for name, one in schema.items()
            if name != "discriminator"  # OpenAPI's: it holds addresses of its own, and says nothing of values
        }
    return [_absolute(one) for one in schema] if isinstance(schema, list) else schema


@dataclass
class Recorder:
    """``seen``: what ``noted`` made of each request that a sandbox answered. None is not kept: no part of the API."""

    noted: Noted
    seen: list[Any] = field(default_factory=list)

    def at(self, network: Network) -> None:
        """From the network's next start on."""
        make = network.app

        def app() -> web.Application:
            made = make()
            made.middlewares.append(self._door())
            return made

        network.app = app  # type: ignore[method-assign]

    def _door(self) -> Any:
        @web.middleware
        async def door(request: web.Request, handler: Any) -> web.StreamResponse:
            answer: web.StreamResponse = await handler(request)
            if isinstance(answer, web.Response) and (exchange := await self.noted(request, answer)) is not None:
                self.seen.append(exchange)
            return answer

        return door


def canonical(request: web.Request) -> str:
    """The path as a description writes it: ``/api/v1/statuses/{id}``; "" for one that leads nowhere."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else ""


def said(answer: web.Response) -> Any:
    """The JSON of an answer that has a body."""
    return json.loads(answer.body) if isinstance(answer.body, bytes) and answer.body else None


def by_aiohttp(request: web.Request) -> bool:
    """Whether our connector asks: the requests of vendors' own clients are not ours to judge."""
    return "aiohttp" in request.headers.get("User-Agent", "")
