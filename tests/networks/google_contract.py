"""Google's own descriptions of its APIs, and what departs from them.

A discovery document tells parameters, bodies and answers; it knows no errors, no quotas and no lengths. Fields that it
does not have are departures here, on both sides.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]
SPECS = Path(os.environ.get("REGIE_SPECS", ROOT / "../shared/specs"))
OF_AN_UPLOAD = {"uploadType", "upload_id"}
OF_AN_ERROR = {"code", "message", "errors", "status", "details"}
TYPES: Mapping[str, Callable[[str], bool]] = {
    "boolean": lambda value: value in ("true", "false"),
    "integer": lambda value: value.lstrip("-").isdigit(),
    "string": lambda value: True,
}


@dataclass
class Exchange:
    method: str
    path: str  # as it was asked, without the host
    query: Mapping[str, str]  # what was said several times has a comma between
    said: Any  # the JSON of the request, that of an upload's first part too
    status: int
    answer: Any


class Contract:
    """``error_has``: what each error of this API holds."""

    def __init__(self, described: Mapping[str, Any], *, error_has: frozenset[str]) -> None:
        self.error_has = error_has
        self.everywhere: Mapping[str, Any] = described["parameters"]
        self.schemas = {name: _strict(schema) for name, schema in described["schemas"].items()}
        self.raw: Mapping[str, Any] = described["schemas"]
        self.methods = [(one["httpMethod"], _pattern(path), one) for one, path in _methods(described)]

    def method(self, verb: str, path: str) -> Mapping[str, Any] | None:
        return next((one for known, where, one in self.methods if known == verb and where.fullmatch(path)), None)

    def problems(self, seen: Exchange) -> list[str]:
        path = seen.path.replace("/resumable/upload/", "/upload/")
        method = self.method(seen.method, path)
        if method is None:
            piece = seen.method == "PUT" and "upload_id" in seen.query
            method = self.method("POST", path) if piece else None
            if method is None:
                return [f"{seen.method} {path}: not described"] if seen.status < 400 else []
            return self._trouble(seen, path) if seen.status >= 400 else self._answer(method, seen, f"PUT {path}")
        where = f"{seen.method} {path}"
        if seen.status >= 400:
            return self._trouble(seen, where)
        return [
            *self._query(method, seen, where),
            *self._request(method, seen, where),
            *self._answer(method, seen, where),
        ]

    def _trouble(self, seen: Exchange, where: str) -> list[str]:
        error = (seen.answer or {}).get("error", {})
        unknown, lacking = sorted(set(error) - OF_AN_ERROR), sorted(self.error_has - set(error))
        return [f"{where} {seen.status}: {unknown} unknown, {lacking} lacking"] if unknown or lacking else []

    def _query(self, method: Mapping[str, Any], seen: Exchange, where: str) -> list[str]:
        known = {**self.everywhere, **method["parameters"]}
        found = [f"{where}: no parameter {one}" for one in seen.query if one not in known and one not in OF_AN_UPLOAD]
        for name, one in method["parameters"].items():
            if one.get("location") == "path":
                continue
            if name not in seen.query:
                found += [f"{where}: {name} is missing"] if one.get("required") else []
                continue
            values = seen.query[name].split(",") if one.get("repeated") else [seen.query[name]]
            for value in values:
                if not TYPES[one["type"]](value) or ("enum" in one and value not in one["enum"]):
                    found.append(f"{where}: {name} is {value!r}")
        return [*found, *self._parts(method, seen, where)]

    def _parts(self, method: Mapping[str, Any], seen: Exchange, where: str) -> list[str]:
        """``part`` names properties of the resource."""
        if "part" not in seen.query:
            return []
        shown = self.raw[method["response"]["$ref"]]["properties"]
        resource = self.raw[shown["items"]["items"]["$ref"]]["properties"] if "items" in shown else shown
        return [f"{where}: no part {one}" for one in seen.query["part"].split(",") if one not in resource]

    def _request(self, method: Mapping[str, Any], seen: Exchange, where: str) -> list[str]:
        if "request" not in method or (seen.said is None and "mediaUpload" in method):
            return []
        name = method["request"]["$ref"]
        lacking = [f"{where}: {one} is missing" for one in self._lacking(name, seen.said, method["id"], "")]
        return [*self._errors(name, seen.said, f"{where} request"), *lacking]

    def _lacking(self, name: str, said: Any, method: str, where: str) -> Iterator[str]:
        """Properties that the description says a method requires."""
        for key, one in self.raw[name].get("properties", {}).items():
            value = said.get(key) if isinstance(said, dict) else None
            if value is None and method in one.get("annotations", {}).get("required", ()):
                yield f"{where}{key}"
            if "$ref" in one and isinstance(value, dict):
                yield from self._lacking(one["$ref"], value, method, f"{where}{key}.")

    def _answer(self, method: Mapping[str, Any], seen: Exchange, where: str) -> list[str]:
        if seen.status in (204, 308) or (seen.query.get("uploadType") == "resumable" and seen.method == "POST"):
            return [f"{where} {seen.status}: a body"] if seen.answer else []
        if "response" not in method:
            return [f"{where}: an answer that is not described"] if seen.answer else []
        return self._errors(method["response"]["$ref"], seen.answer, f"{where} {seen.status}")

    def _errors(self, name: str, value: Any, where: str) -> list[str]:
        validator = Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": self.schemas})
        return [f"{where} {error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value)]


def _methods(described: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Every method with its path, and with the one for its files."""
    for resource in described.get("resources", {}).values():
        for method in resource.get("methods", {}).values():
            yield method, method.get("flatPath", method["path"])
            if "mediaUpload" in method:
                yield method, method["mediaUpload"]["protocols"]["simple"]["path"].lstrip("/")
        yield from _methods(resource)


def _pattern(path: str) -> re.Pattern[str]:
    """``v4/accounts/{accountsId}/media:startUpload``: each name in brackets stands for a part of a path."""
    parts = re.split(r"\{[^}]+\}", path)
    return re.compile("/" + "[^/:]+".join(re.escape(part) for part in parts))


def _strict(schema: Any) -> Any:
    """A discovery schema as JSON Schema, in which nothing else may be said."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": f"#/$defs/{schema['$ref']}"}
    found: dict[str, Any] = {"type": schema["type"]} if schema.get("type") not in (None, "any") else {}
    if "enum" in schema:
        found["enum"] = schema["enum"]
    if "items" in schema:
        found["items"] = _strict(schema["items"])
    if "properties" in schema:
        found["properties"] = {name: _strict(one) for name, one in schema["properties"].items()}
        found["additionalProperties"] = False
    if "additionalProperties" in schema:
        found["additionalProperties"] = _strict(schema["additionalProperties"])
    return found


def contract(path: Path, *, error_has: frozenset[str]) -> Contract:
    if not path.exists():
        pytest.skip(f"Google's description {path.name} is not at {path.parent}: set REGIE_SPECS")
    return Contract(json.loads(path.read_bytes()), error_has=error_has)


def recording(seen: list[Exchange], *, paths: str) -> Any:
    """A middleware at the sandbox's door. ``paths``: a pattern that the beginning of those to record fits."""
    wanted = re.compile(paths)

    @web.middleware
    async def record(request: web.Request, handler: Any) -> web.StreamResponse:
        answer: web.StreamResponse = await handler(request)
        if wanted.match(request.path) and isinstance(answer, web.Response):
            is_json = request.content_type == "application/json" and "upload_id" not in request.query
            said = json.loads(await request.read()) if is_json and request.body_exists else None
            told = json.loads(bytes(answer.body)) if isinstance(answer.body, bytes) and answer.body else None
            query = {name: ",".join(request.query.getall(name)) for name in request.query}
            seen.append(Exchange(request.method, request.path, query, said, answer.status, told))
        return answer

    return record
