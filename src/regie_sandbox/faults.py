"""Bad days on request: wrong answers, lost answers, slow ones, lists that lag."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

_LINK = re.compile(r"https?://(?:www\.)?(\S+?)/?(?=\s|$)")


def tidy(text: str) -> str:
    """As networks tidy what they are given: spaces drawn together, links without scheme and last slash."""
    return " ".join(_LINK.sub(r"\1", text).split())


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
VendorError = Callable[[int], tuple[Mapping[str, str], Any]]


@dataclass(slots=True)
class Fault:
    """One bad thing that waits for its request. ``path`` matches a part of the request's path, ``method`` exactly;
    ``after``: so many matching requests are let through first."""

    kind: str  # answer, lose_answer, drop, delay
    times: int = 1
    path: str | None = None
    method: str | None = None
    status: int = 500
    headers: Mapping[str, str] | None = None
    body: Any = None
    seconds: float = 0.0
    after: int = 0

    def fits(self, request: web.Request) -> bool:
        return (self.method is None or self.method == request.method) and (
            self.path is None or self.path in request.path
        )


@dataclass(slots=True)
class Faults:
    """The bad days of one network. Nothing is set at first; ``clear`` goes back to that.

    latency:     seconds added to each request
    rates:       chance of each kind per request: ``lose_answer``, ``drop``, ``do_but_answer`` (a 500), or a status as
                 text (``"503"``)
    listing_lag: seconds during which a new post is missing from listings
    rewrite:     makes the text that is stored from the text that was sent
    counts:      how often each kind happened, a status by its number
    alter:       makes each JSON answer that goes out from the one that was meant: a vendor that changed its mind
    """

    rng: random.Random
    vendor_error: VendorError = lambda status: ({}, {"error": f"fault {status}"})
    latency: float = 0.0
    rates: dict[str, float] = field(default_factory=dict)
    listing_lag: float = 0.0
    rewrite: Callable[[str], str] | None = None
    alter: Callable[[Any], Any] | None = None
    waiting: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def will_answer(
        self,
        status: int,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        times: int = 1,
        path: str | None = None,
        method: str | None = None,
        after: int = 0,
    ) -> None:
        """The next matching request gets this and nothing is done. ``body``: JSON, or text or bytes as they are;
        None: the vendor's own body and headers for that status."""
        self._wait(Fault("answer", times, path, method, status=status, headers=headers, body=body, after=after))

    def will_lose_answer(
        self, *, times: int = 1, path: str | None = None, method: str | None = None, after: int = 0
    ) -> None:
        """The next matching request is carried out, then the connection drops: accepted, answer lost."""
        self._wait(Fault("lose_answer", times, path, method, after=after))

    def will_do_but_answer(
        self,
        status: int,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        times: int = 1,
        path: str | None = None,
        method: str | None = None,
    ) -> None:
        """The next matching request is carried out, then gets this answer: a gateway that gave up waiting."""
        self._wait(Fault("do_but_answer", times, path, method, status=status, headers=headers, body=body))

    def will_drop(self, *, times: int = 1, path: str | None = None, method: str | None = None) -> None:
        """The connection of the next matching request drops before anything is done."""
        self._wait(Fault("drop", times, path, method))

    def will_delay(self, seconds: float, *, times: int = 1, path: str | None = None, method: str | None = None) -> None:
        """The next matching request is carried out, but its answer takes ``seconds`` longer."""
        self._wait(Fault("delay", times, path, method, seconds=seconds))

    def clear(self) -> None:
        self.waiting.clear()
        self.rates.clear()
        self.latency = self.listing_lag = 0.0
        self.rewrite = self.alter = None

    def rewritten(self, text: str) -> str:
        """The text as this network keeps it."""
        return self.rewrite(text) if self.rewrite else text

    @property
    def quiet(self) -> bool:
        return not (self.waiting or self.rates or self.latency or self.alter)

    def _wait(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def _next(self, request: web.Request) -> Fault | None:
        for fault in self.waiting:
            if fault.fits(request):
                if fault.after:
                    fault.after -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        if self.rates:
            dice = self.rng.random()
            for kind, rate in self.rates.items():
                if dice < rate:
                    return Fault("answer", status=int(kind)) if kind.isdigit() else Fault(kind)
                dice -= rate
        return None

    async def around(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Carry the request out as this day wants it."""
        if self.latency:
            await asyncio.sleep(self.latency)
        happens = self._next(request)
        if happens is not None:
            self.counts[str(happens.status) if happens.kind == "answer" else happens.kind] += 1
        match happens:
            case None:
                return self._altered(await handler(request))
            case Fault(kind="answer") as fault:
                await request.read()
                return self._answer(fault)
            case Fault(kind="drop"):
                await request.read()
                return _hang_up(request)
            case Fault(kind="delay") as fault:
                answer = await handler(request)
                await asyncio.sleep(fault.seconds)
                return answer
            case Fault(kind="do_but_answer") as fault:
                await handler(request)
                return self._answer(fault)
            case _:
                await handler(request)
                return _hang_up(request)

    def _altered(self, answer: web.StreamResponse) -> web.StreamResponse:
        if self.alter is None or not isinstance(answer, web.Response) or answer.content_type != "application/json":
            return answer
        if isinstance(answer.body, bytes) and answer.body:
            answer.body = json.dumps(self.alter(json.loads(answer.body))).encode()
        return answer

    def _answer(self, fault: Fault) -> web.Response:
        headers, body = dict(fault.headers or {}), fault.body
        if body is None:
            vendor_headers, body = self.vendor_error(fault.status)
            headers = {**vendor_headers, **headers}
        if isinstance(body, bytes | str):
            raw = body.encode() if isinstance(body, str) else body
            kind = "text/html" if raw.lstrip().startswith(b"<") else "application/json"
        else:
            raw, kind = json.dumps(body, ensure_ascii=False).encode(), "application/json"
        headers.setdefault("Content-Type", f"{kind}; charset=utf-8")
        return web.Response(status=fault.status, body=raw, headers=headers)


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)  # goes nowhere: the connection is closed
