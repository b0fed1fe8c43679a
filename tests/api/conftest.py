"""A program with a token: it speaks JSON, keeps no cookie, and acts as one member."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from regie.api import services
from regie.people.models import Member

ROOT = "/api/v1"


class Program:
    """``program.get("/me")``: the status and what was said, decoded."""

    def __init__(self, secret: str = "") -> None:
        self.secret = secret

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> HttpResponse:
        if self.secret:
            headers.setdefault("Authorization", f"Bearer {self.secret}")
        data = json.dumps(body) if body is not None else ""
        response: HttpResponse = Client().generic(  # type: ignore[assignment]
            method, ROOT + path, data, content_type="application/json", headers=headers
        )
        return response

    def said(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        response = self.ask(method, path, body, **headers)
        return response.status_code, json.loads(response.content) if response.content else None

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        return self.said("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        return self.said("POST", path, body, **headers)

    def upload(self, picture: Any, **fields: str) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.secret}"}
        response = Client().post(ROOT + "/media", {"file": picture, **fields}, headers=headers)
        return response.status_code, json.loads(response.content)


@pytest.fixture
def program() -> Callable[..., Program]:
    """Makes a token of a member and a program that uses it: ``program(bob)``."""

    def make(member: Member, **options: Any) -> Program:
        _token, secret = services.create_token(name="Shop window", by=member, **options)
        return Program(secret)

    return make


@pytest.fixture
def with_secret() -> type[Program]:
    """A program with a secret from elsewhere: ``with_secret("regie_...")``."""
    return Program


@pytest.fixture
def nobody() -> Program:
    return Program()
