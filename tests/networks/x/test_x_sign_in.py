"""Signing in on X, and how the connection is kept: one refresh token for one refresh."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
import pytest

from regie.networks.data import AppKeys, Login, SignedIn
from regie.networks.errors import NetworkError, Refused, SignInAgain, TryLater
from regie.networks.x.connector import X as Connector
from regie.networks.x.sign_in import SCOPES
from regie_sandbox.x.app import X

from .posting import outgoing, publish

BACK = "https://regie.example/accounts/callback/x/"


async def on_the_page(http: aiohttp.ClientSession, url: str, **typed: str) -> dict[str, str]:
    """Does there what a person does; what came back."""
    asked = dict(parse_qsl(urlsplit(url).query))
    async with http.get(url) as page:
        assert page.status == 200
    form = {**asked, "username": "regie", "decision": "allow", **typed}
    address = url.split("?")[0]
    async with http.post(address, data=form, allow_redirects=False) as reply:
        assert reply.status == 302
        return dict(parse_qsl(urlsplit(reply.headers["Location"]).query))


async def signed_in(http: aiohttp.ClientSession, x: X, app: AppKeys, **typed: str) -> SignedIn:
    started = await Connector.start(http, server=x.base, app=app, redirect_uri=BACK)
    query = await on_the_page(http, started.url, **typed)
    assert query["state"] == started.state
    return await Connector.finish(http, server=x.base, app=app, redirect_uri=BACK, query=query, secrets=started.secrets)


def account(found: SignedIn, x: X, app: AppKeys, http: aiohttp.ClientSession) -> Connector:
    (profile,) = found.profiles
    login = Login(
        server=x.base, remote_id=profile.remote_id, credentials=found.credentials, app=app, limits=profile.limits
    )
    return Connector(http, login)


def test_the_page_of_x_itself_is_where_its_documents_say() -> None:
    from regie.networks.x.sign_in import start

    started = start("https://api.x.com", app=AppKeys(client_id="an id"), redirect_uri=BACK)
    where, query = started.url.split("?")
    assert where == "https://x.com/i/oauth2/authorize"
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    assert (asked["client_id"], asked["redirect_uri"], asked["code_challenge_method"]) == ("an id", BACK, "S256")
    assert asked["scope"].split() == list(SCOPES)
    assert started.secrets["verifier"] not in started.url
    assert "+" not in query  # X wants %20 between scopes


@pytest.mark.shows("sign_in")
async def test_a_person_signs_in_and_the_account_publishes(http: aiohttp.ClientSession, x: X, app: AppKeys) -> None:
    found = await signed_in(http, x, app)
    (profile,) = found.profiles
    assert (profile.handle, profile.url, profile.remote_id) == ("@regie", f"{x.base}/regie", x.user("regie").id)
    assert set(found.scopes) == set(SCOPES)
    assert "missing" not in profile.limits
    assert profile.limits["plan"] == "pay-per-use"
    assert found.expires_at is not None
    assert abs(found.expires_at - datetime.now(UTC) - timedelta(hours=2)) < timedelta(minutes=1)
    await publish(account(found, x, app, http), outgoing("Signed in"))
    assert x.texts() == ["Signed in"]
    assert not any(value in repr(found) for value in found.credentials.values() if len(value) > 20)


async def test_what_was_not_granted_is_said_before_it_is_tried(http: aiohttp.ClientSession, x: X, app: AppKeys) -> None:
    found = await signed_in(http, x, app, declined="dm.read dm.write tweet.moderate.write")
    missing = found.profiles[0].limits["missing"]
    assert len(missing) == 3
    assert any("Direct messages cannot be read" in said for said in missing)
    again = await account(found, x, app, http).whoami()
    assert again.limits["missing"] == missing


async def test_who_says_no_is_not_connected(http: aiohttp.ClientSession, x: X, app: AppKeys) -> None:
    with pytest.raises(Refused, match="did not allow"):
        await signed_in(http, x, app, decision="deny")


async def test_a_code_lives_thirty_seconds_and_is_good_for_one_sign_in(
    http: aiohttp.ClientSession, x: X, app: AppKeys
) -> None:
    x.world.clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    started = await Connector.start(http, server=x.base, app=app, redirect_uri=BACK)
    query = await on_the_page(http, started.url)
    x.world.clock.advance(timedelta(seconds=31))
    with pytest.raises(Refused, match="start again"):
        await Connector.finish(http, server=x.base, app=app, redirect_uri=BACK, query=query, secrets=started.secrets)


async def test_a_stolen_code_is_worth_nothing_without_our_verifier(
    http: aiohttp.ClientSession, x: X, app: AppKeys
) -> None:
    started = await Connector.start(http, server=x.base, app=app, redirect_uri=BACK)
    query = await on_the_page(http, started.url)
    with pytest.raises(Refused):
        await Connector.finish(
            http, server=x.base, app=app, redirect_uri=BACK, query=query, secrets={"verifier": "a" * 43}
        )


async def test_a_refresh_brings_the_next_pair_and_the_old_one_is_used_up(
    http: aiohttp.ClientSession, x: X, app: AppKeys
) -> None:
    found = await signed_in(http, x, app)
    old = account(found, x, app, http)
    fresh = await old.refresh()
    assert fresh.credentials["refresh_token"] != found.credentials["refresh_token"]
    assert fresh.expires_at is not None
    x.expire_tokens()
    fresh = await account(replace(found, credentials=fresh.credentials), x, app, http).refresh()
    await publish(account(replace(found, credentials=fresh.credentials), x, app, http), outgoing("Still here"))
    with pytest.raises(SignInAgain):
        await old.refresh()


async def test_an_outage_at_a_refresh_disconnects_nobody(http: aiohttp.ClientSession, x: X, app: AppKeys) -> None:
    found = await signed_in(http, x, app)
    connector = account(found, x, app, http)
    for bad in (503, 429):
        x.faults.will_answer(bad, path="/oauth2/token")
        with pytest.raises(TryLater):
            await connector.refresh()
    x.faults.will_drop(path="/oauth2/token")
    with pytest.raises(TryLater):
        await connector.refresh()
    assert (await connector.refresh()).credentials["access_token"]


async def test_wrong_keys_of_the_app_are_no_reason_to_ask_the_person(
    http: aiohttp.ClientSession, x: X, app: AppKeys
) -> None:
    found = await signed_in(http, x, app)
    wrong = account(found, x, replace(app, client_secret="not it"), http)
    with pytest.raises(NetworkError) as said:
        await wrong.refresh()
    assert isinstance(said.value, Refused)
    assert "keys of your app" in said.value.said
    assert not any(len(one) > 20 and one in said.value.said for one in found.credentials.values())


async def test_a_taken_back_connection_is_over(http: aiohttp.ClientSession, x: X, app: AppKeys) -> None:
    found = await signed_in(http, x, app)
    connector = account(found, x, app, http)
    await connector.revoke()
    with pytest.raises(NetworkError):
        await publish(connector, outgoing())
    with pytest.raises(SignInAgain):
        await connector.refresh()
    await connector.revoke()  # again changes nothing
    assert x.texts() == []


async def test_nobody_registers_us_at_x(http: aiohttp.ClientSession) -> None:
    with pytest.raises(Refused, match="app of your own"):
        await Connector.register(http, server="https://api.x.com", redirect_uri=BACK, website="")
