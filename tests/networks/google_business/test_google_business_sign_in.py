"""Google's page, the code with its proof, the places to choose among, the tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from regie.networks.data import AppKeys, Login, SignedIn, SigningIn
from regie.networks.errors import Refused, SignInAgain, TryLater
from regie.networks.google_business.connector import GoogleBusiness as Connector
from regie.networks.google_business.wire import API, host_beside
from regie_sandbox.google_business.app import GoogleBusiness

from .posting import signed_in

BACK = "https://regie.example/accounts/callback/google_business/"


@pytest.fixture
def app(google: GoogleBusiness) -> AppKeys:
    ready = google.ready_account()
    google.make_app().redirect_uris = [BACK]
    return AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])


async def _started(http: aiohttp.ClientSession, google: GoogleBusiness, app: AppKeys) -> SigningIn:
    return await Connector.start(http, server=google.base, app=app, redirect_uri=BACK)


async def _allowed(http: aiohttp.ClientSession, started: SigningIn, **answer: str) -> dict[str, str]:
    """What Google's page sends back after somebody pressed a button there."""
    url = urlsplit(started.url)
    form = {**dict(parse_qsl(url.query)), "username": "regie", "decision": "allow", **answer}
    async with http.post(f"{url.scheme}://{url.netloc}{url.path}", data=form, allow_redirects=False) as reply:
        return dict(parse_qsl(urlsplit(reply.headers["Location"]).query))


async def _finished(http: aiohttp.ClientSession, google: GoogleBusiness, app: AppKeys, **answer: str) -> SignedIn:
    started = await _started(http, google, app)
    query = await _allowed(http, started, **answer)
    return await Connector.finish(
        http, server=google.base, app=app, redirect_uri=BACK, query=query, secrets=started.secrets
    )


@pytest.mark.shows("sign_in")
async def test_from_the_page_to_the_places_of_a_person(
    http: aiohttp.ClientSession, google: GoogleBusiness, app: AppKeys
) -> None:
    person = google.person("regie")
    google.open_place(person, "Lumen Roubaix", group="Lumen")
    asked = dict(parse_qsl(urlsplit((await _started(http, google, app)).url).query))
    assert (asked["scope"], asked["access_type"]) == ("https://www.googleapis.com/auth/business.manage", "offline")
    signed = await _finished(http, google, app)
    assert [(one.name, one.handle, one.kind) for one in signed.profiles] == [
        ("regie", "12 rue des Tanneurs, Lille", "page"),
        ("Lumen Roubaix", "12 rue des Tanneurs, Lille", "page"),
    ]
    assert set(signed.credentials) == {"access_token", "refresh_token"}
    for profile in signed.profiles:
        login = Login(server=google.base, remote_id=profile.remote_id, credentials=signed.credentials, app=app)
        assert await Connector(http, login).whoami() == profile


async def test_a_place_that_two_accounts_show_is_offered_once(
    http: aiohttp.ClientSession, google: GoogleBusiness, app: AppKeys
) -> None:
    person = google.person("regie")
    shared = google.open_place(person, "Lumen Roubaix", group="Lumen")
    google.state.managers[person.managers[0]].places.append(shared.id)
    assert [one.name for one in (await _finished(http, google, app)).profiles] == ["regie", "Lumen Roubaix"]


async def test_more_places_than_a_page_holds(http: aiohttp.ClientSession, google: GoogleBusiness, app: AppKeys) -> None:
    person = google.person("regie")
    for number in range(120):
        google.open_place(person, f"Shop {number}")
    assert len((await _finished(http, google, app)).profiles) == 121


async def test_whoever_manages_no_place_is_told_so(
    http: aiohttp.ClientSession, google: GoogleBusiness, app: AppKeys
) -> None:
    google.state.managers[google.person("regie").managers[0]].places.clear()
    google.state.managers[google.person("regie").managers[0]].kind = "USER_GROUP"
    google.holder = lambda name: google.person(name).id  # type: ignore[method-assign]
    with pytest.raises(Refused, match="manages no business profile"):
        await _finished(http, google, app)


async def test_a_project_that_google_has_not_let_in_is_told_so(
    http: aiohttp.ClientSession, google: GoogleBusiness, app: AppKeys
) -> None:
    google.let_in = False
    with pytest.raises(Refused, match="has not let your project use"):
        await _finished(http, google, app)


async def test_without_the_permission_nobody_is_connected(
    http: aiohttp.ClientSession, google: GoogleBusiness, app: AppKeys
) -> None:
    with pytest.raises(Refused, match="permission to manage"):
        await _finished(http, google, app, declined="business.manage")
    with pytest.raises(Refused, match="did not allow"):
        await _finished(http, google, app, decision="deny")


async def test_a_token_is_renewed_until_the_consent_is_taken_back(
    http: aiohttp.ClientSession, google: GoogleBusiness
) -> None:
    connector = await signed_in(http, google)
    google.expire_tokens()
    login = connector._wire.login
    fresh = await connector.refresh()
    connector = Connector(http, replace(login, credentials={**login.credentials, **fresh.credentials}))
    assert (await connector.whoami()).remote_id == login.remote_id
    for _ in range(2):  # gone already is what we want
        await connector.revoke()
    with pytest.raises(SignInAgain):
        await connector.refresh()


async def test_trouble_with_renewing_disconnects_nobody(http: aiohttp.ClientSession, google: GoogleBusiness) -> None:
    connector = await signed_in(http, google)
    google.faults.will_answer(503, path="/token")
    with pytest.raises(TryLater):
        await connector.refresh()


async def test_an_app_of_ones_own_comes_first(http: aiohttp.ClientSession) -> None:
    with pytest.raises(Refused, match="app of your own"):
        await Connector.register(http, server=API, redirect_uri=BACK, website="https://regie.example")


def test_googles_hosts_and_one_that_stands_in_for_all() -> None:
    roles: dict[str, Any] = {role: host_beside(API, role) for role in ("token", "accounts", "information")}
    assert roles == {
        "token": "https://oauth2.googleapis.com",
        "accounts": "https://mybusinessaccountmanagement.googleapis.com",
        "information": "https://mybusinessbusinessinformation.googleapis.com",
    }
    assert {host_beside("http://127.0.0.1:8000", role) for role in (*roles, "page", "performance")} == {
        "http://127.0.0.1:8000"
    }


async def test_places_of_one_project_share_its_requests_and_not_their_edits(
    http: aiohttp.ClientSession, google: GoogleBusiness
) -> None:
    first, second = await signed_in(http, google), await signed_in(http, google, "Vélo Club")
    assert first.quota_key() == second.quota_key() != ""
    assert {quota.name: quota.shared for quota in first.can.quotas} == {"requests": True, "edits": False}
