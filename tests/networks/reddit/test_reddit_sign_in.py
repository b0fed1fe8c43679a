"""Signing in at Reddit: the page, the tokens, what was left out, and the end of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from regie.networks.capabilities import NobodyKnows, Search
from regie.networks.data import AppKeys, Login, SignedIn
from regie.networks.errors import Refused, SignInAgain, TryLater
from regie.networks.reddit.connector import Reddit as Connector
from regie.networks.reddit.sign_in import SCOPES
from regie_sandbox.reddit.app import Reddit

from .posting import NOW

BACK = "https://regie.example/oauth/reddit/back"


@pytest.fixture
def keys(reddit: Reddit) -> AppKeys:
    app = reddit.make_app()
    return AppKeys(client_id=app.id, client_secret=app.secret)


async def allowed(
    http: aiohttp.ClientSession, reddit: Reddit, keys: AppKeys, **decided: str
) -> tuple[str, Mapping[str, str]]:
    """Our state, and what Reddit's page sends back."""
    signing_in = await Connector.start(http, server=reddit.base, app=keys, redirect_uri=BACK)
    asked = dict(parse_qsl(urlsplit(signing_in.url).query))
    assert asked["duration"] == "permanent"
    async with http.get(signing_in.url) as page:
        assert "Régie" in await page.text()
    fields = {**asked, "username": "shop", "decision": "allow", **decided}
    async with http.post(signing_in.url.split("?")[0], data=fields, allow_redirects=False) as back:
        address = back.headers["Location"]
    return signing_in.state, dict(parse_qsl(urlsplit(address).query))


async def signed_in(http: aiohttp.ClientSession, reddit: Reddit, keys: AppKeys, **decided: str) -> SignedIn:
    state, query = await allowed(http, reddit, keys, **decided)
    assert query["state"] == state
    return await Connector.finish(http, server=reddit.base, app=keys, redirect_uri=BACK, query=query, secrets={})


@pytest.mark.shows("sign_in")
async def test_signing_in_gives_an_account_that_lasts(
    http: aiohttp.ClientSession, reddit: Reddit, keys: AppKeys
) -> None:
    found = await signed_in(http, reddit, keys)
    (profile,) = found.profiles
    assert (profile.handle, profile.remote_id) == ("u/shop", reddit.person("shop").id)
    assert set(found.scopes) == set(SCOPES)
    assert profile.limits["missing"] == []
    assert profile.limits["username"] == "shop"
    assert set(found.credentials) == {"access_token", "refresh_token"}
    assert found.expires_at is not None
    assert timedelta(hours=23) < found.expires_at - datetime.now(UTC) < timedelta(hours=25)


async def test_what_was_left_out_is_said_and_no_longer_offered(
    http: aiohttp.ClientSession, reddit: Reddit, keys: AppKeys
) -> None:
    found = await signed_in(http, reddit, keys, declined="edit vote privatemessages")
    (profile,) = found.profiles
    assert len(profile.limits["missing"]) == 3
    can = Connector.can_on(profile.limits)
    assert (can.edit, can.delete, can.reads, can.arrival) == (False, False, frozenset(), ())
    assert isinstance(can.repeat, Search)
    assert isinstance(Connector.can_on({"scopes": ["identity", "submit"]}).repeat, NobodyKnows)
    login = Login(server=reddit.base, credentials=found.credentials, app=keys, limits=profile.limits)
    with pytest.raises(Refused, match="permission"):
        await Connector(http, login).messages(cursor="")
    assert (await Connector(http, login).own_posts(since=NOW)).seen == ()


async def test_a_no_is_a_no(http: aiohttp.ClientSession, reddit: Reddit, keys: AppKeys) -> None:
    with pytest.raises(Refused, match="did not allow"):
        await signed_in(http, reddit, keys, decision="decline")


async def test_a_code_works_once(http: aiohttp.ClientSession, reddit: Reddit, keys: AppKeys) -> None:
    _, query = await allowed(http, reddit, keys)

    async def trade(app: AppKeys) -> SignedIn:
        return await Connector.finish(http, server=reddit.base, app=app, redirect_uri=BACK, query=query, secrets={})

    with pytest.raises(Refused, match="keys"):
        await trade(replace(keys, client_secret="other"))
    assert (await trade(keys)).profiles
    with pytest.raises(Refused, match="start again"):
        await trade(keys)


async def test_a_token_is_renewed_until_the_person_takes_it_back(
    http: aiohttp.ClientSession, reddit: Reddit, keys: AppKeys
) -> None:
    found = await signed_in(http, reddit, keys)
    login = Login(server=reddit.base, credentials=found.credentials, app=keys, limits=found.profiles[0].limits)
    fresh = await Connector(http, login).refresh()
    assert fresh.credentials["refresh_token"] == found.credentials["refresh_token"]
    assert fresh.credentials["access_token"] != found.credentials["access_token"]
    renewed = Connector(http, replace(login, credentials=fresh.credentials))
    assert (await renewed.whoami()).handle == "u/shop"

    reddit.faults.will_answer(503, path="access_token")
    with pytest.raises(TryLater):
        await renewed.refresh()
    with pytest.raises(Refused, match="keys"):
        await Connector(http, replace(login, app=replace(keys, client_secret="other"))).refresh()

    await renewed.revoke()
    assert reddit.state.tokens == {}
    with pytest.raises(SignInAgain):
        await renewed.refresh()
    await renewed.revoke()  # doing it again is done


async def test_nobody_is_registered_by_itself(http: aiohttp.ClientSession) -> None:
    with pytest.raises(Refused, match="app of your own"):
        await Connector.register(http, server=Connector.default_server, redirect_uri=BACK, website="https://x.example")


async def test_the_pages_are_beside_the_api(http: aiohttp.ClientSession) -> None:
    keys = AppKeys(client_id="abc")
    signing_in = await Connector.start(http, server=Connector.default_server, app=keys, redirect_uri=BACK)
    assert signing_in.url.startswith("https://www.reddit.com/api/v1/authorize?client_id=abc&")


async def test_requests_say_who_we_are_as_reddit_asks(http: aiohttp.ClientSession, reddit: Reddit) -> None:
    ready = reddit.ready_account()
    async with http.get(f"{reddit.base}/api/v1/me", headers={"User-Agent": "", **bearer(ready)}) as answer:
        assert answer.status == 429


def bearer(ready: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {"Authorization": f"Bearer {ready['credentials']['access_token']}"}
