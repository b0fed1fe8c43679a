"""What Bluesky's servers read about us at our own address."""

from __future__ import annotations

import pytest
from django.test import Client

from regie.accounts.opening import seal_app_keys
from regie.networks.bluesky.sign_in import register

pytestmark = pytest.mark.django_db
ADDRESS = "/oauth/bluesky/client-metadata.json"


def test_every_server_we_signed_in_at_finds_its_key_and_no_secret(client: Client) -> None:
    assert client.get(ADDRESS).status_code == 404
    made = register(redirect_uri="https://regie.example/accounts/callback/bluesky/", website="https://regie.example")
    other = register(redirect_uri="https://regie.example/accounts/callback/bluesky/", website="https://regie.example")
    seal_app_keys("bluesky", "https://one.example", made)
    seal_app_keys("bluesky", "https://two.example", other)

    answer = client.get(ADDRESS)

    assert len({key["kid"] for key in answer.json()["jwks"]["keys"]}) == 2
    assert all("d" not in key for key in answer.json()["jwks"]["keys"])
