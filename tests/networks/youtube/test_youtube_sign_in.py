"""Google's page, the code with its proof, the tokens, and what was left unticked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from regie.networks.data import AppKeys, Draft, Login, SignedIn, SigningIn
from regie.networks.errors import Refused, SignInAgain, TryLater
from regie.networks.youtube.connector import YouTube as Connector
from regie.networks.youtube.wire import API, host_beside
from regie_sandbox.youtube.app import YouTube

from .posting import signed_in

BACK = "https://regie.example/accounts/callback/youtube/"


@pytest.fixture
def app(youtube: YouTube) -> AppKeys:
    ready = youtube.ready_account()
    youtube.make_app().redirect_uris = [BACK]
    return AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])


async def _started(http: aiohttp.ClientSession, youtube: YouTube, app: AppKeys) -> SigningIn:
    return await Connector.start(http, server=youtube.base, app=app, redirect_uri=BACK)


async def _allowed(http: aiohttp.ClientSession, started: SigningIn, **answer: str) -> dict[str, str]:
    """What Google's page sends back after somebody pressed a button there."""
    url = urlsplit(started.url)
    asked = dict(parse_qsl(url.query))
    async with http.get(started.url) as page:
        assert "<button" in await page.text()
    where = f"{url.scheme}://{url.netloc}{url.path}"
    form = {**asked, "username": "regie", "decision": "allow", **answer}
    async with http.post(where, data=form, allow_redirects=False) as reply:
        assert reply.status == 302
        return dict(parse_qsl(urlsplit(reply.headers["Location"]).query))


async def _finished(
    http: aiohttp.ClientSession, youtube: YouTube, app: AppKeys, started: SigningIn, query: dict[str, str]
) -> SignedIn:
    return await Connector.finish(
        http, server=youtube.base, app=app, redirect_uri=BACK, query=query, secrets=started.secrets
    )


@pytest.mark.shows("sign_in")
async def test_from_the_page_to_a_channel(http: aiohttp.ClientSession, youtube: YouTube, app: AppKeys) -> None:
    started = await _started(http, youtube, app)
    asked = dict(parse_qsl(urlsplit(started.url).query))
    assert (asked["access_type"], asked["code_challenge_method"]) == ("offline", "S256")
    assert "consent" in asked["prompt"]
    assert started.secrets["verifier"] not in started.url
    query = await _allowed(http, started)
    assert query["state"] == started.state
    signed = await _finished(http, youtube, app, started, query)
    (profile,) = signed.profiles
    assert (profile.remote_id, profile.handle, profile.kind) == (youtube.channel("regie").id, "@regie", "channel")
    assert profile.limits["missing"] == []
    assert signed.expires_at is not None
    assert timedelta(0) < signed.expires_at - datetime.now(UTC) < timedelta(hours=1, seconds=1)
    assert set(signed.credentials) == {"access_token", "refresh_token"}
    login = Login(server=youtube.base, remote_id=profile.remote_id, credentials=signed.credentials, app=app)
    assert (await Connector(http, login).whoami()).remote_id == profile.remote_id


async def test_each_channel_is_a_sign_in_of_its_own(
    http: aiohttp.ClientSession, youtube: YouTube, app: AppKeys
) -> None:
    found = set()
    for name in ("regie", "Vélo Club"):
        started = await _started(http, youtube, app)
        signed = await _finished(http, youtube, app, started, await _allowed(http, started, username=name))
        found |= {profile.name for profile in signed.profiles}
    assert found == {"regie", "Vélo Club"}


async def test_what_was_left_unticked_is_said(http: aiohttp.ClientSession, youtube: YouTube, app: AppKeys) -> None:
    started = await _started(http, youtube, app)
    query = await _allowed(http, started, declined="yt-analytics.readonly youtube.force-ssl")
    signed = await _finished(http, youtube, app, started, query)
    assert signed.scopes == ("youtube.readonly",)
    assert [said.split(":")[0] for said in signed.profiles[0].limits["missing"]] == [
        "Nothing can be published, and comments can be neither read nor answered",
        "There are no watch times and no shares",
    ]
    limits = signed.profiles[0].limits
    (said,) = Connector.objections(limits, Draft(text="", videos=1))
    assert said.said.startswith("Nothing can be published")
    assert (Connector.can_on(limits).reads, Connector.can_on(limits).first_comment) == (frozenset(), False)
    login = Login(server=youtube.base, credentials=signed.credentials, app=app, limits=limits)
    assert (await Connector(http, login).whoami()).limits["missing"] == limits["missing"]


async def test_saying_no_and_coming_too_late(http: aiohttp.ClientSession, youtube: YouTube, app: AppKeys) -> None:
    started = await _started(http, youtube, app)
    with pytest.raises(Refused, match="did not allow"):
        await _finished(http, youtube, app, started, await _allowed(http, started, decision="deny"))
    query = await _allowed(http, started)
    youtube.world.clock.advance(timedelta(minutes=11))
    with pytest.raises(Refused, match="start again"):
        await _finished(http, youtube, app, started, query)


async def test_a_code_without_its_proof_is_worth_nothing(
    http: aiohttp.ClientSession, youtube: YouTube, app: AppKeys
) -> None:
    started = await _started(http, youtube, app)
    query = await _allowed(http, started)
    stolen = replace(started, secrets={"verifier": "another"})
    with pytest.raises(Refused, match="start again"):
        await _finished(http, youtube, app, stolen, query)
    with pytest.raises(Refused, match="start again"):  # and it was used up
        await _finished(http, youtube, app, started, query)


async def test_keys_that_google_does_not_know(http: aiohttp.ClientSession, youtube: YouTube, app: AppKeys) -> None:
    started = await _started(http, youtube, app)
    query = await _allowed(http, started)
    with pytest.raises(Refused, match="by these keys"):
        await _finished(http, youtube, AppKeys(client_id=app.client_id, client_secret="wrong"), started, query)


async def test_a_token_is_renewed_until_the_consent_is_taken_back(
    http: aiohttp.ClientSession, youtube: YouTube
) -> None:
    connector = await signed_in(http, youtube)
    youtube.expire_tokens()
    fresh = await connector.refresh()
    assert set(fresh.credentials) == {"access_token"}  # the other one stays
    login = replace(connector._wire.login, credentials={**connector._wire.login.credentials, **fresh.credentials})
    connector = Connector(http, login)
    assert (await connector.whoami()).remote_id == login.remote_id
    await connector.revoke()
    await connector.revoke()  # gone already is what we want
    with pytest.raises(SignInAgain):
        await connector.refresh()


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_with_renewing_disconnects_nobody(
    http: aiohttp.ClientSession, youtube: YouTube, status: int
) -> None:
    connector = await signed_in(http, youtube)
    youtube.faults.will_answer(status, path="/token")
    with pytest.raises(TryLater):
        await connector.refresh()


async def test_an_account_without_a_channel_is_told_so(http: aiohttp.ClientSession, youtube: YouTube, app: Any) -> None:
    started = await _started(http, youtube, app)
    query = await _allowed(http, started, username="nobody")
    del youtube.state.channels[youtube.channel("nobody").id]
    with pytest.raises(Refused, match="no channel"):
        await _finished(http, youtube, app, started, query)


async def test_an_app_of_ones_own_comes_first(http: aiohttp.ClientSession) -> None:
    with pytest.raises(Refused, match="app of your own"):
        await Connector.register(http, server=API, redirect_uri=BACK, website="https://regie.example")


def test_googles_hosts_and_one_that_stands_in_for_all() -> None:
    assert host_beside(API, "token") == "https://oauth2.googleapis.com"
    assert host_beside(f"{API}/", "analytics") == "https://youtubeanalytics.googleapis.com"
    assert {host_beside("http://127.0.0.1:8000", role) for role in ("page", "token", "watch", "hub")} == {
        "http://127.0.0.1:8000"
    }


async def test_channels_of_one_app_share_its_quota(http: aiohttp.ClientSession, youtube: YouTube) -> None:
    first, second = await signed_in(http, youtube), await signed_in(http, youtube, "Vélo Club")
    assert first.quota_key() == second.quota_key() != ""
    assert {quota.name: quota.limit for quota in first.can.quotas} == {"units": 10_000, "uploads": 100}
