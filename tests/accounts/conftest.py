"""Alice's browser, and a Bluesky of our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from regie.networks.bluesky import dpop
from regie.networks.bluesky.connector import Bluesky as Connector
from regie.people.models import Member

if TYPE_CHECKING:
    from tests.conftest import Sandbox


@pytest.fixture
def owner(alice: Member, signed_in: Callable[[Member], Client]) -> Client:
    """Alice's browser."""
    return signed_in(alice)


@pytest.fixture(autouse=True)
def _no_nonce_yet() -> None:
    dpop._nonces.clear()


@pytest.fixture
def our_bluesky(bluesky: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The sandbox is Bluesky's own server and its directory of identities, as the operator's settings would say."""
    monkeypatch.setattr(Connector, "default_server", bluesky.base)
    monkeypatch.setattr(Connector, "addresses", replace(Connector.addresses, plc=bluesky.base))
    return bluesky
