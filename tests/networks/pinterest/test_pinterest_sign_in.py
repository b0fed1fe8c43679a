"""The way in: the vendor's page, the code, the pair of tokens, and what was not granted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from regie.networks.data import AppKeys, SignedIn
from regie.networks.errors import Refused, SignInAgain, TryLater
from regie.networks.pinterest.connector import Pinterest as Connector
from regie_sandbox.pinterest.app import Pinterest

BACK = "https://regie.example/oauth/pinterest/callback"


async def came_back(
    http: aiohttp.ClientSession, pinterest: Pinterest, *, server: str, decision: str = "allow", declined: str = ""
) -> tuple[AppKeys, dict[str, str]]:
    """What the vendor's page sends back, after somebody decided there."""
    app = pinterest.make_app()
    keys = AppKeys(client_id=app.id, client_secret=app.secret)
    going = await Connector.start(http, server=server, app=keys, redirect_uri=BACK)
    async with http.get(going.url) as page:
        assert "Give access" in await page.text()
    fields = {name: values[0] for name, values in parse_qs(urlsplit(going.url).query).items()}
    url = going.url.split("?")[0]
    form = {**fields, "username": "Regie", "decision": decision, "declined": declined}
    async with http.post(url, data=form, allow_redirects=False) as answer:
        query = {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}
    assert query.pop("state") == going.state
    return keys, query


async def signed_in(http: aiohttp.ClientSession, pinterest: Pinterest, server: str, declined: str = "") -> SignedIn:
    app, query = await came_back(http, pinterest, server=server, declined=declined)
    return await Connector.finish(http, server=server, app=app, redirect_uri=BACK, query=query, secrets={})


@pytest.mark.shows("sign_in")
@pytest.mark.parametrize("below", ["", "/trial"])
async def test_somebody_signs_in(http: aiohttp.ClientSession, pinterest: Pinterest, below: str) -> None:
    found = await signed_in(http, pinterest, f"{pinterest.base}{below}")
    (profile,) = found.profiles
    assert (profile.handle, profile.server) == ("@regie", f"{pinterest.base}{below}")
    assert (profile.limits["trial"], profile.limits["missing"]) == (bool(below), [])
    assert found.expires_at is not None
    assert found.reconnect_by is not None
    assert found.expires_at - datetime.now(UTC) > timedelta(days=29)
    assert found.reconnect_by - found.expires_at > timedelta(days=29)
    secrets = [found.credentials["access_token"], found.credentials["refresh_token"]]
    assert not any(secret in repr(found) for secret in secrets)


async def test_what_was_not_granted_is_said(http: aiohttp.ClientSession, pinterest: Pinterest) -> None:
    found = await signed_in(http, pinterest, pinterest.base, declined="pins:write,boards:read")
    assert "pins:write" not in found.scopes
    assert [said.split(":")[0] for said in found.profiles[0].limits["missing"]] == [
        "No board can be chosen", "Nothing can be published",
    ]  # fmt: skip


async def test_a_no_on_the_vendors_page_and_a_code_used_twice(
    http: aiohttp.ClientSession, pinterest: Pinterest
) -> None:
    server = pinterest.base
    app, query = await came_back(http, pinterest, server=server, decision="deny")
    with pytest.raises(Refused, match="did not allow"):
        await Connector.finish(http, server=server, app=app, redirect_uri=BACK, query=query, secrets={})
    app, query = await came_back(http, pinterest, server=server)
    await Connector.finish(http, server=server, app=app, redirect_uri=BACK, query=query, secrets={})
    with pytest.raises(Refused, match="start again"):
        await Connector.finish(http, server=server, app=app, redirect_uri=BACK, query=query, secrets={})


async def test_without_an_app_of_our_own_nobody_signs_in(http: aiohttp.ClientSession) -> None:
    with pytest.raises(Refused, match="app of your own"):
        await Connector.register(http, server="", redirect_uri=BACK, website="")


async def test_a_refresh_trades_the_pair(signed_in: Callable[..., Connector], pinterest: Pinterest) -> None:
    old = pinterest.ready_account()["credentials"]
    fresh = await signed_in().refresh()
    assert fresh.credentials["access_token"] != old["access_token"]
    assert fresh.reconnect_by is not None
    assert (await signed_in(credentials=fresh.credentials).whoami()).handle == "@regie"
    with pytest.raises(SignInAgain):
        await signed_in().refresh()  # the old one was traded


async def test_only_a_no_ends_a_sign_in_an_outage_does_not(
    signed_in: Callable[..., Connector], pinterest: Pinterest
) -> None:
    pinterest.faults.will_answer(503, path="/oauth/token")
    with pytest.raises(TryLater):
        await signed_in().refresh()
    pinterest.faults.will_drop(path="/oauth/token")
    with pytest.raises(TryLater):
        await signed_in().refresh()
    with pytest.raises(SignInAgain):
        await signed_in(credentials={"access_token": "pina_x"}).refresh()


async def test_a_token_of_the_sandbox_is_good_there_alone(
    signed_in: Callable[..., Connector], pinterest: Pinterest
) -> None:
    trial = pinterest.ready_account()["trial"]["credentials"]
    with pytest.raises(SignInAgain):
        await signed_in(credentials=trial).whoami()
