"""Vendors send browsers back to 127.0.0.1, people open localhost: a browser keeps the two apart."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from regie.people.models import Member

BACK = "/accounts/callback/facebook/?code=a&state=b"


@pytest.fixture(autouse=True)
def both_names_of_this_machine(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1"]


def sent_to(client: Client, host: str) -> str:
    return str(client.get(BACK, headers={"host": host}).headers["Location"])


def test_whoever_opened_localhost_is_sent_on_to_it(client: Client, alice: Member, settings: Any) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    assert sent_to(client, "127.0.0.1:8000") == f"http://localhost:8000{BACK}"
    assert sent_to(client, "localhost:8000").startswith("/account/login/")


def test_nobody_is_sent_on_from_an_address_of_the_internet(client: Client, alice: Member, settings: Any) -> None:
    settings.PUBLIC_URL = "https://regie.example.org"
    assert sent_to(client, "127.0.0.1:8000").startswith("/account/login/")


def test_who_is_signed_in_at_127_0_0_1_stays_there(client: Client, alice: Member, settings: Any) -> None:
    settings.PUBLIC_URL = "http://localhost:8000"
    client.force_login(alice.user)
    assert client.get(BACK, headers={"host": "127.0.0.1:8000"}).status_code == 422  # a state that nobody began
