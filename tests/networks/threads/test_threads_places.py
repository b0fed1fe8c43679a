"""Places: found by their name and said with a post, where the sign-in asked for the permission."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from regie.networks.capabilities import Choice
from regie.networks.data import AppKeys, Login
from regie.networks.errors import Refused
from regie.networks.threads.connector import Threads as Connector
from regie_sandbox.threads.app import SCOPES, Threads

from .posting import prepared, publish, saying

PLACES = "threads_location_tagging"


@pytest.fixture
def allowed(http: aiohttp.ClientSession, threads: Threads) -> Callable[..., Connector]:
    """The ready account, with these permissions beside the usual."""

    def connect(*scopes: str) -> Connector:
        ready, user = threads.ready_account(), threads.user("regie")
        token = threads.make_token(user.id, threads.make_app(), "threads", (*SCOPES, *scopes))
        login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials={"access_token": token})
        return Connector(http, replace(login, limits={"scopes": [*SCOPES, *scopes], "username": "regie"}))

    return connect


async def test_a_place_is_found_by_its_name_and_stands_on_the_post(
    threads: Threads, allowed: Callable[..., Connector], http: aiohttp.ClientSession
) -> None:
    here = threads.make_place("Atelier Nord", "1 rue de la Paix", "Lyon", "France")
    bare = threads.make_place("Atelier Nord")
    threads.make_place("Somewhere else", city="Paris")
    connector = allowed(PLACES)
    assert await connector.search("place", "atelier") == (
        Choice(here.id, "Atelier Nord · 1 rue de la Paix, Lyon, France"),
        Choice(bare.id, "Atelier Nord"),
    )
    assert await connector.search("place", "nowhere") == ()
    published = await publish(connector, saying("We are open", options={"place": here.id}))
    token = connector._wire.login.credentials["access_token"]
    shown = f"{threads.base}/v1.0/{published.remote_id}?fields=text,location_id&access_token={token}"
    async with http.get(shown) as reply:
        assert await reply.json() == {"id": published.remote_id, "text": "We are open", "location_id": here.id}


async def test_without_the_permission_places_are_closed_and_nothing_is_made(
    threads: Threads, allowed: Callable[..., Connector]
) -> None:
    def why(scopes: list[str]) -> str:
        return next(one.closed for one in Connector.can_on({"scopes": scopes}).options if one.name == "place")

    assert why([*SCOPES, PLACES]) == ""
    assert "first switches places on" in why([*SCOPES])
    assert "first switches places on" in why([])  # Threads did not tell, and few asked for it
    here, connector = threads.make_place("Atelier Nord"), allowed()
    with pytest.raises(Refused, match="permission is missing"):
        await connector.search("place", "atelier")
    with pytest.raises(Refused, match="permission is missing"):
        await prepared(connector, saying(options={"place": here.id}))
    assert not threads.state.containers


@pytest.mark.parametrize(("extra", "asked"), [({}, False), ({"places": "on"}, True)])
async def test_the_sign_in_asks_for_it_only_where_it_was_switched_on(
    http: aiohttp.ClientSession, threads: Threads, extra: dict[str, Any], asked: bool
) -> None:
    app = AppKeys(client_id="1", client_secret="2", extra=extra)
    started = await Connector.start(http, server=threads.base, app=app, redirect_uri="https://regie.example/back")
    assert (PLACES in started.url) is asked
    assert "threads_content_publish" in started.url
