"""Login Kit: the page, the tokens, permissions that were left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from regie.networks.data import AppKeys, Login, SignedIn
from regie.networks.errors import Refused, SignInAgain, TokenExpired, TryLater
from regie.networks.tiktok.connector import TikTok as Connector
from regie.networks.tiktok.sign_in import SCOPES
from regie.networks.tiktok.wire import OPEN
from regie_sandbox.tiktok.app import TikTok

REDIRECT = "https://regie.example.org/oauth/tiktok/"


def keys(tiktok: TikTok) -> AppKeys:
    app = tiktok.make_app()
    return AppKeys(client_id=app.key, client_secret=app.secret)


async def on_the_page(http: aiohttp.ClientSession, tiktok: TikTok, **answers: str) -> tuple[dict[str, str], str]:
    """A person signs in: what comes back, and the state that it was begun with."""
    begun = await Connector.start(http, server=tiktok.base, app=keys(tiktok), redirect_uri=REDIRECT)
    async with http.get(begun.url) as page:
        assert page.status == 200
        assert "this is for practice" in (await page.text()).lower()
    form = {**dict(parse_qsl(urlsplit(begun.url).query)), "username": "shop", "decision": "allow", **answers}
    async with http.post(f"{tiktok.base}/v2/auth/authorize/", data=form, allow_redirects=False) as back:
        address = back.headers["Location"]
    assert address.startswith(REDIRECT)
    return dict(parse_qsl(urlsplit(address).query)), begun.state


async def finished(http: aiohttp.ClientSession, tiktok: TikTok, query: dict[str, str], **more: Any) -> SignedIn:
    return await Connector.finish(
        http, server=tiktok.base, app=more.get("app", keys(tiktok)), redirect_uri=REDIRECT, query=query, secrets={}
    )


def login_of(tiktok: TikTok, signed_in: SignedIn) -> Login:
    (profile,) = signed_in.profiles
    return Login(
        server=profile.server,
        remote_id=profile.remote_id,
        credentials=signed_in.credentials,
        app=keys(tiktok),
        limits=profile.limits,
    )


@pytest.mark.shows("sign_in")
async def test_signing_in_gives_an_account_and_what_its_owner_allows(
    http: aiohttp.ClientSession, tiktok: TikTok
) -> None:
    query, state = await on_the_page(http, tiktok)
    assert query["state"] == state
    signed_in = await finished(http, tiktok, query)
    (profile,) = signed_in.profiles
    assert (profile.handle, profile.name, profile.remote_id) == ("@shop", "shop", tiktok.known_as("shop").id)
    assert profile.limits["privacy"][0] == "PUBLIC_TO_EVERYONE"
    assert profile.limits["missing"] == []
    assert set(signed_in.scopes) == set(SCOPES)
    now = datetime.now(UTC)
    assert signed_in.expires_at is not None
    assert signed_in.reconnect_by is not None
    assert timedelta(hours=23) < signed_in.expires_at - now <= timedelta(hours=24)
    assert timedelta(days=364) < signed_in.reconnect_by - now <= timedelta(days=365)
    assert signed_in.credentials["access_token"] not in repr(signed_in)


async def test_the_page_is_tiktoks_own_where_the_api_is(http: aiohttp.ClientSession) -> None:
    app = AppKeys(client_id="aw1", client_secret="s")
    begun = await Connector.start(http, server=OPEN, app=app, redirect_uri=REDIRECT)
    assert begun.url.startswith("https://www.tiktok.com/v2/auth/authorize/?client_key=aw1&")
    assert "code_challenge" not in begun.url


async def test_without_an_app_nobody_signs_in(http: aiohttp.ClientSession, tiktok: TikTok) -> None:
    with pytest.raises(Refused, match=r"developers\.tiktok\.com"):
        await Connector.register(http, server=tiktok.base, redirect_uri=REDIRECT, website="")


async def test_saying_no_is_said(http: aiohttp.ClientSession, tiktok: TikTok) -> None:
    query, _ = await on_the_page(http, tiktok, decision="deny")
    with pytest.raises(Refused, match="did not allow"):
        await finished(http, tiktok, query)
    with pytest.raises(Refused, match="not eligible"):
        await finished(http, tiktok, {"error": "server_error", "error_description": "The user is not eligible."})


async def test_a_code_is_good_once_and_for_a_while(http: aiohttp.ClientSession, tiktok: TikTok) -> None:
    query, _ = await on_the_page(http, tiktok)
    await finished(http, tiktok, query)
    with pytest.raises(Refused, match="start again"):
        await finished(http, tiktok, query)
    query, _ = await on_the_page(http, tiktok)
    tiktok.world.clock.advance(timedelta(hours=1))
    with pytest.raises(Refused, match="start again"):
        await finished(http, tiktok, query)


async def test_wrong_keys_are_said_and_trouble_is_tried_later(http: aiohttp.ClientSession, tiktok: TikTok) -> None:
    query, _ = await on_the_page(http, tiktok)
    wrong = replace(keys(tiktok), client_secret="no")
    with pytest.raises(Refused, match="Client key or secret"):
        await finished(http, tiktok, query, app=wrong)
    for body in ("server_error", "temporarily_unavailable"):
        tiktok.faults.will_answer(400, body={"error": body, "error_description": "", "log_id": "1"}, path="oauth/token")
        with pytest.raises(TryLater):
            await finished(http, tiktok, query)
    await finished(http, tiktok, query)


async def test_what_was_left_out_is_said_before_it_is_tried(http: aiohttp.ClientSession, tiktok: TikTok) -> None:
    query, _ = await on_the_page(http, tiktok, declined="video.publish,user.info.stats,user.info.profile,video.list")
    signed_in = await finished(http, tiktok, query)
    (profile,) = signed_in.profiles
    said = " ".join(profile.limits["missing"])
    assert all(word in said for word in ("Nothing can be published", "no numbers of the account", "found again"))
    assert profile.handle == "shop"  # its @name is not told either
    connector = Connector(http, login_of(tiktok, signed_in))
    assert (await connector.account_samples())["followers"] is None
    assert (await connector.whoami()).limits == profile.limits


async def test_a_token_is_traded_for_a_fresh_pair_and_the_old_one_is_dead(
    http: aiohttp.ClientSession, tiktok: TikTok
) -> None:
    query, _ = await on_the_page(http, tiktok)
    login = login_of(tiktok, await finished(http, tiktok, query))
    tiktok.expire_tokens()
    with pytest.raises(TokenExpired):
        await Connector(http, login).whoami()
    fresh = await Connector(http, login).refresh()
    assert fresh.reconnect_by is not None
    assert (await Connector(http, replace(login, credentials=fresh.credentials)).whoami()).handle == "@shop"
    with pytest.raises(SignInAgain):
        await Connector(http, login).refresh()


async def test_only_a_dead_refresh_token_asks_a_person(http: aiohttp.ClientSession, tiktok: TikTok) -> None:
    query, _ = await on_the_page(http, tiktok)
    login = login_of(tiktok, await finished(http, tiktok, query))
    for status, body in ((500, None), (200, "<html>"), (429, None), (400, {"error": "invalid_client", "log_id": "1"})):
        tiktok.faults.will_answer(status, body=body, path="oauth/token")
        with pytest.raises(TryLater):
            await Connector(http, login).refresh()
    tiktok.world.clock.advance(timedelta(days=366))
    with pytest.raises(SignInAgain):
        await Connector(http, login).refresh()
    with pytest.raises(SignInAgain):
        await Connector(http, replace(login, credentials={"access_token": "act.1"})).refresh()


async def test_revoking_ends_every_token(http: aiohttp.ClientSession, tiktok: TikTok) -> None:
    query, _ = await on_the_page(http, tiktok)
    login = login_of(tiktok, await finished(http, tiktok, query))
    await Connector(http, login).revoke()
    with pytest.raises(SignInAgain):
        await Connector(http, login).refresh()
    await Connector(http, login).revoke()  # again is no harm


@pytest.mark.parametrize(
    "change",
    [
        {"client_key": "nobody"},
        {"response_type": "token"},
        {"scope": "user.info.basic,admin"},
        {"scope": "video.list"},
        {"redirect_uri": "https://regie.example.org/?a=1"},
    ],
)
async def test_the_sandbox_refuses_what_tiktok_refuses(
    http: aiohttp.ClientSession, tiktok: TikTok, change: dict[str, str]
) -> None:
    begun = await Connector.start(http, server=tiktok.base, app=keys(tiktok), redirect_uri=REDIRECT)
    query = {**dict(parse_qsl(urlsplit(begun.url).query)), **change}
    async with http.get(f"{tiktok.base}/v2/auth/authorize/", params=query) as page:
        assert page.status == 400
        assert set(await page.json()) == {"error", "error_description", "log_id"}
