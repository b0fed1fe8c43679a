"""Requests that nobody would think of, made from the OpenAPI description: none of them breaks the product."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import hypothesis
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase

from regie.api import services
from regie.api.application import schema
from regie.people.models import Member

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its dependencies complain to its authors, not to us
    import schemathesis

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore")]
OPERATIONS = [(method.upper(), path) for path, methods in schema()["paths"].items() for method in methods]


@cache
def described() -> schemathesis.BaseSchema:
    """The description, answered by the product in this very process."""
    found = schemathesis.openapi.from_dict(schema())
    found.app = WSGIHandler()
    found.config.update(base_url="http://testserver")
    return found


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """As Django's own test client does: the end of a request leaves the test's transaction open."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_request_is_answered_with_a_broken_product(method: str, path: str, alice: Member, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]  # the tool calls an app in process by the first
    _token, secret = services.create_token(name="Fuzz", by=alice)

    @hypothesis.settings(
        max_examples=5,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=described()[path][method].as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        answer = case.call(headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code < 500, answer.text
        assert answer.status_code != 401
        if answer.status_code >= 400:
            assert set(answer.json()) == {"error", "said", "details"}

    ask()
