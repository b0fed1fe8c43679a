"""Threads' own login: the page, the tokens, what was left out; and a client library that somebody else wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from pyfacebook import ThreadsGraphAPI

from regie.networks.capabilities import Answering
from regie.networks.data import AppKeys, Login, SignedIn
from regie.networks.errors import Refused, SignInAgain
from regie.networks.threads.connector import Threads as Connector
from regie.networks.threads.sign_in import SCOPES
from regie_sandbox.frame import World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import in_thread
from regie_sandbox.threads.app import Threads

from .posting import NOW

BACK = "https://regie.example/oauth/threads/back"


@pytest.fixture
def keys(threads: Threads) -> AppKeys:
    app = threads.make_app()
    return AppKeys(client_id=app.id, client_secret=app.secret)


async def came_back(http: aiohttp.ClientSession, threads: Threads, keys: AppKeys, **decided: str) -> Mapping[str, str]:
    signing_in = await Connector.start(http, server=threads.base, app=keys, redirect_uri=BACK)
    asked = dict(parse_qsl(urlsplit(signing_in.url).query))
    fields = {**asked, "username": "shop", "decision": "allow", **decided}
    async with http.post(signing_in.url.split("?")[0], data=fields, allow_redirects=False) as back:
        query = dict(parse_qsl(urlsplit(back.headers["Location"]).query))
    assert query["state"] == signing_in.state
    return query


async def signed_in(http: aiohttp.ClientSession, threads: Threads, keys: AppKeys, **decided: str) -> SignedIn:
    query = await came_back(http, threads, keys, **decided)
    return await Connector.finish(http, server=threads.base, app=keys, redirect_uri=BACK, query=query, secrets={})


@pytest.mark.shows("sign_in")
async def test_signing_in_gives_a_token_of_sixty_days_that_is_renewed(
    http: aiohttp.ClientSession, threads: Threads, keys: AppKeys
) -> None:
    found = await signed_in(http, threads, keys)
    (profile,) = found.profiles
    assert (profile.handle, profile.remote_id) == ("@shop", threads.user("shop").id)
    assert set(found.scopes) == set(SCOPES)
    assert profile.limits["missing"] == []
    assert threads.state.tokens[found.credentials["access_token"]].until == NOW + timedelta(days=60)

    login = Login(server=threads.base, remote_id=profile.remote_id, credentials=found.credentials, app=keys)
    threads.world.clock.set(NOW + timedelta(days=2))
    fresh = await Connector(http, login).refresh()
    assert threads.state.tokens[fresh.credentials["access_token"]].until == NOW + timedelta(days=62)
    threads.world.clock.set(NOW + timedelta(days=61))
    with pytest.raises(SignInAgain):
        await Connector(http, login).refresh()
    with pytest.raises(SignInAgain):
        await Connector(http, login).whoami()


async def test_what_was_left_out_is_said_and_no_longer_offered(
    http: aiohttp.ClientSession, threads: Threads, keys: AppKeys
) -> None:
    found = await signed_in(http, threads, keys, declined="threads_delete,threads_manage_replies")
    (profile,) = found.profiles
    assert len(profile.limits["missing"]) == 2
    can = Connector.can_on(profile.limits)
    assert not can.delete
    assert can.answers == frozenset[Answering]()


async def test_a_no_is_a_no_and_a_code_works_once(http: aiohttp.ClientSession, threads: Threads, keys: AppKeys) -> None:
    with pytest.raises(Refused, match="did not allow"):
        await signed_in(http, threads, keys, decision="deny")
    query = await came_back(http, threads, keys)
    for works in (True, False):
        trade = Connector.finish(http, server=threads.base, app=keys, redirect_uri=BACK, query=query, secrets={})
        if works:
            assert (await trade).profiles
        else:
            with pytest.raises(Refused, match="start again"):
                await trade


async def test_the_page_is_threads_own(http: aiohttp.ClientSession) -> None:
    keys = AppKeys(client_id="1")
    signing_in = await Connector.start(http, server=Connector.default_server, app=keys, redirect_uri=BACK)
    assert signing_in.url.startswith("https://threads.com/oauth/authorize?client_id=1&")
    with pytest.raises(Refused, match="app of your own"):
        await Connector.register(http, server=Connector.default_server, redirect_uri=BACK, website="https://x.example")


# The client library


@pytest.fixture
def sandbox() -> Iterator[Threads]:
    network = sandbox_network("threads", World(seed=7))
    assert isinstance(network, Threads)
    with in_thread(network.world):
        yield network


@pytest.fixture
def client(sandbox: Threads) -> Any:
    ready = sandbox.ready_account()
    api = ThreadsGraphAPI(
        app_id=ready["client_id"],
        app_secret=ready["client_secret"],
        access_token=ready["credentials"]["access_token"],
        version="v1.0",
        sleep_on_rate_limit=False,
    )
    api.base_url = f"{sandbox.base}/"
    return api


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_client_library_publishes_reads_answers_measures_and_deletes(client: Any, sandbox: Threads) -> None:
    made = client.post_object(
        object_id="me", connection="threads", data={"media_type": "TEXT", "text": "Good morning"}
    )["id"]
    assert client.get_object(object_id=made, fields="id,status")["status"] == "FINISHED"
    post = client.post_object(object_id="me", connection="threads_publish", data={"creation_id": made})["id"]
    assert sandbox.texts() == ["Good morning"]
    assert client.get_object(object_id=post, fields="id,text,permalink")["text"] == "Good morning"
    sandbox.say(by="ana", text="Until when?", to=post)
    listed = client.get_connection(object_id=post, connection="replies", fields="id,text,username")
    assert [(one["text"], one["username"]) for one in listed["data"]] == [("Until when?", "ana")]
    answer = {"media_type": "TEXT", "text": "Until six", "reply_to_id": listed["data"][0]["id"]}
    made = client.post_object(object_id="me", connection="threads", data=answer)["id"]
    client.post_object(object_id="me", connection="threads_publish", data={"creation_id": made})
    sandbox.like(by="ana", post_id=post)
    told = client.get_connection(object_id=post, connection="insights", metric="likes,replies")
    assert [one["values"] for one in told["data"]] == [[{"value": 1}], [{"value": 1}]]
    assert client.delete_object(object_id=post)["success"] is True
    assert sandbox.texts() == ["Until six"]
