"""A browser that nobody signed in with, and counters that no other test filled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client


@pytest.fixture
def browser() -> Client:
    return Client()


@pytest.fixture(autouse=True)
def _no_counted_attempts() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()
