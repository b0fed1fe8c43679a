"""Walking through a network's own sign-in pages, as a browser does, and the pages that lead there and back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import aiohttp
import pytest
from django.test import Client

from regie.networks.bluesky import dpop
from regie.networks.bluesky.connector import Bluesky as Connector
from regie.people.models import Member

if TYPE_CHECKING:
    from conftest import Sandbox

HERE = "/w/atelier-nord/accounts"


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


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action, self.fields = "", {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form" and not self.action:
            self.action = found.get("action") or ""
        if tag == "input" and found.get("name"):
            self.fields[str(found["name"])] = found.get("value") or ""


def click_through(url: str, *forms: dict[str, str]) -> str:
    """Opens a vendor's page and sends its forms, filled in; returns the address that the browser is sent back to."""

    async def go() -> str:
        async with aiohttp.ClientSession() as http:
            async with http.get(url) as reply:
                where, page = str(reply.url), await reply.text()
            for typed in forms:
                form = _Forms()
                form.feed(page)
                target = urljoin(where, form.action)
                async with http.post(target, data={**form.fields, **typed}, allow_redirects=False) as reply:
                    if reply.status in (302, 303):
                        return reply.headers["Location"]
                    page = await reply.text()
            raise AssertionError(f"The vendor's page did not send the browser back: {page[:500]}")

    return asyncio.run(go())


def path_of(url: str) -> str:
    """What Django's client asks for, of a whole address."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"
