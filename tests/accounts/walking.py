"""Walking through a network's own sign-in pages, as a browser does."""

from __future__ import annotations

import asyncio
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import aiohttp

HERE = "/w/atelier-nord/accounts"


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}

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
