"""Steering the sandbox from outside its process: JSON over HTTP, under ``/_sandbox``.

On each network's own port: ``GET state`` (account, texts), ``GET ledger``, ``POST account``, ``POST faults``,
``GET faults`` (how many there were), ``DELETE faults``, ``POST expire`` (short-lived tokens), ``POST say``,
``POST like``, ``POST share``, ``POST follow``.
On the world's port, besides: ``GET /_sandbox`` (all networks), ``GET ledger`` (all), ``GET``/``POST clock``.

In a world with an audience (``regie sandbox --live``) every account asked for with ``POST account`` has people
(``followers``, ``topics``: word -> factor), ``POST crisis`` on a network's port turns them angry, and moving a standing
clock forward lets them live through that time: set the clock 90 days back, publish and move it day by day, then go
``{"mode": "real"}``.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from regie_sandbox.audience import Nature
from regie_sandbox.faults import tidy
from regie_sandbox.frame import Entry, Network, World

B = TypeVar("B", bound=BaseModel)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AccountBody(_Body):
    name: str = "regie"
    followers: int | None = None
    topics: dict[str, float] | None = None


class CrisisBody(_Body):
    name: str = "regie"
    hours: float = 12


class SayBody(_Body):
    by: str
    text: str
    to: str | None = None
    kind: str = "reply"


class ReactBody(_Body):
    by: str
    post_id: str


class FollowBody(_Body):
    by: str
    account: str


class ClockBody(_Body):
    set: datetime | None = None
    advance_seconds: float = 0
    mode: Literal["stand", "run", "real"] | None = None


class FaultBody(_Body):
    """``kind`` None: only the standing settings change."""

    kind: Literal["answer", "lose_answer", "do_but_answer", "drop", "delay"] | None = None
    status: int = 500
    headers: dict[str, str] | None = None
    body: Any = None
    seconds: float = 0
    times: int = 1
    path: str | None = None
    method: str | None = None
    latency: float | None = None
    listing_lag: float | None = None
    rates: dict[str, float] | None = None
    tidy: bool | None = None
    keys_honoured: bool | None = None


def network_routes(network: Network) -> list[web.RouteDef]:
    async def state(_: web.Request) -> web.Response:
        return _json({"network": network.slug, "account": network.ready_account(), "texts": network.texts()})

    async def ledger(_: web.Request) -> web.Response:
        return _json([_entry(entry) for entry in network.world.ledger.of(network.slug)])

    async def account(request: web.Request) -> web.Response:
        wish = await _read(request, AccountBody)
        if (audience := network.world.audience) is not None:
            nature = Nature() if wish.followers is None else Nature(followers=wish.followers)
            audience.watch(network.slug, account=wish.name, nature=replace(nature, topics=wish.topics or {}))
        return _json(network.ready_account(wish.name))

    async def crisis(request: web.Request) -> web.Response:
        wish = await _read(request, CrisisBody)
        if network.world.audience is None:
            raise web.HTTPConflict(text="There is no audience here: start the sandbox with --live.")
        network.world.audience.crisis(network.slug, account=wish.name, hours=wish.hours)
        return _json({})

    async def say(request: web.Request) -> web.Response:
        said = await _read(request, SayBody)
        return _json({"id": network.say(by=said.by, text=said.text, to=said.to, kind=said.kind)})

    async def like(request: web.Request) -> web.Response:
        network.like(**(await _read(request, ReactBody)).model_dump())
        return _json({})

    async def share(request: web.Request) -> web.Response:
        network.share(**(await _read(request, ReactBody)).model_dump())
        return _json({})

    async def follow(request: web.Request) -> web.Response:
        network.follow(**(await _read(request, FollowBody)).model_dump())
        return _json({})

    async def add_fault(request: web.Request) -> web.Response:
        _set_fault(network, await _read(request, FaultBody))
        return _json({})

    async def count_faults(_: web.Request) -> web.Response:
        return _json(network.faults.counts)

    async def expire(_: web.Request) -> web.Response:
        return _json({"expired": network.expire_tokens()})

    async def clear_faults(_: web.Request) -> web.Response:
        network.faults.clear()
        return _json({})

    return [
        web.get("/_sandbox/state", state),
        web.get("/_sandbox/ledger", ledger),
        web.post("/_sandbox/account", account),
        web.post("/_sandbox/crisis", crisis),
        web.post("/_sandbox/say", say),
        web.post("/_sandbox/like", like),
        web.post("/_sandbox/share", share),
        web.post("/_sandbox/follow", follow),
        web.post("/_sandbox/faults", add_fault),
        web.get("/_sandbox/faults", count_faults),
        web.delete("/_sandbox/faults", clear_faults),
        web.post("/_sandbox/expire", expire),
    ]


def world_routes(world: World) -> list[web.RouteDef]:
    async def overview(_: web.Request) -> web.Response:
        networks = {slug: {"api_url": n.base, **n.ready_account()} for slug, n in world.networks.items()}
        return _json({"now": world.clock.now().isoformat(), "seed": world.seed, "networks": networks})

    async def ledger(_: web.Request) -> web.Response:
        return _json([_entry(entry) for entry in world.ledger.entries])

    async def clock(_: web.Request) -> web.Response:
        return _json({"now": world.clock.now().isoformat(), "real": world.clock.is_real})

    async def set_clock(request: web.Request) -> web.Response:
        wish = await _read(request, ClockBody)
        if wish.set is not None:
            world.move_to(wish.set)
        if wish.advance_seconds and world.clock.is_standing:
            world.move_to(world.clock.now() + timedelta(seconds=wish.advance_seconds))
        elif wish.advance_seconds:
            world.clock.advance(timedelta(seconds=wish.advance_seconds))
        match wish.mode:
            case "stand":
                world.clock.set(world.clock.now())
            case "run":
                world.clock.run()
            case "real":
                if world.clock.is_standing:
                    world.move_to(max(world.clock.now(), datetime.now(UTC)))
                world.clock.real()
        return _json({"now": world.clock.now().isoformat(), "real": world.clock.is_real})

    return [
        web.get("/_sandbox", overview),
        web.get("/_sandbox/", overview),
        web.get("/_sandbox/ledger", ledger),
        web.get("/_sandbox/clock", clock),
        web.post("/_sandbox/clock", set_clock),
    ]


def _set_fault(network: Network, wish: FaultBody) -> None:
    faults = network.faults
    if wish.latency is not None:
        faults.latency = wish.latency
    if wish.listing_lag is not None:
        faults.listing_lag = wish.listing_lag
    if wish.rates is not None:
        faults.rates = wish.rates
    if wish.tidy is not None:
        faults.rewrite = tidy if wish.tidy else None
    if wish.keys_honoured is not None:
        network.keys_honoured = wish.keys_honoured
    where: dict[str, Any] = {"times": wish.times, "path": wish.path, "method": wish.method}
    match wish.kind:
        case "answer":
            faults.will_answer(wish.status, headers=wish.headers, body=wish.body, **where)
        case "do_but_answer":
            faults.will_do_but_answer(wish.status, headers=wish.headers, body=wish.body, **where)
        case "lose_answer":
            faults.will_lose_answer(**where)
        case "drop":
            faults.will_drop(**where)
        case "delay":
            faults.will_delay(wish.seconds, **where)


async def _read(request: web.Request, model: type[B]) -> B:
    try:
        return model.model_validate_json(await request.read() or b"{}")
    except ValidationError as exc:
        raise web.HTTPBadRequest(text=exc.json(include_url=False), content_type="application/json") from exc


def _entry(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "at": entry.at.isoformat()}


def _json(value: Any) -> web.Response:
    return web.json_response(value, dumps=lambda v: json.dumps(v, ensure_ascii=False))
