"""Through LinkedIn's page with either kind of app, and how long it lasts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
import pytest

from regie.networks.data import AppKeys, Login, SignedIn
from regie.networks.errors import NetworkError, Refused, SignInAgain, TokenExpired, TryLater
from regie.networks.linkedin.connector import LinkedIn as Connector
from regie.networks.linkedin.wire import base_of, is_share, pages_of, post_at

from .linkedin_contract import Recorded
from .posting import publish, saying

BACK = "https://regie.example/oauth/linkedin/callback/"


def keys(ready: dict[str, Any]) -> AppKeys:
    return AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])


async def walk(
    http: aiohttp.ClientSession, ready: dict[str, Any], *, decision: str = "allow", declined: str = ""
) -> dict[str, str]:
    """What LinkedIn's page sends back when somebody decides on it."""
    begun = await Connector.start(http, server=ready["server"], app=keys(ready), redirect_uri=BACK)
    async with http.get(begun.url, allow_redirects=False) as page:
        if page.status == 302:
            return dict(parse_qsl(urlsplit(page.headers["Location"]).query))
        assert page.status == 200
    asked = {name: values[0] for name, values in parse_qs(urlsplit(begun.url).query).items()}
    form = {**asked, "username": "regie", "decision": decision, "declined": declined}
    async with http.post(begun.url.split("?")[0], data=form, allow_redirects=False) as page:
        back = dict(parse_qsl(urlsplit(page.headers["Location"]).query))
    assert back.pop("state") == begun.state
    return back


async def finish(http: aiohttp.ClientSession, ready: dict[str, Any], query: dict[str, str]) -> SignedIn:
    return await Connector.finish(
        http, server=ready["server"], app=keys(ready), redirect_uri=BACK, query=query, secrets={}
    )


@pytest.mark.shows("sign_in")
async def test_pages_and_the_member_come_from_one_sign_in(linkedin: Recorded, http: aiohttp.ClientSession) -> None:
    ready = linkedin.ready_account()
    linkedin.page_named("Second").roles[ready["member"]] = "CONTENT_ADMINISTRATOR"
    linkedin.page_named("Third").roles[ready["member"]] = "ANALYST"
    signed = await finish(http, ready, await walk(http, ready))
    assert [one.name for one in signed.profiles] == ["regie", "Second", "regie manager"]
    assert [one.kind for one in signed.profiles] == ["page", "page", "profile"]
    page = signed.profiles[0]
    assert (page.remote_id, page.handle, page.server) == (ready["remote_id"], "@regie", ready["server"])
    assert page.limits["member"] == ready["member"]
    assert [len(one.limits["missing"]) for one in signed.profiles] == [0, 1, 0]
    helped = Connector.can_on(signed.profiles[1].limits)
    assert (helped.reads, helped.post_metrics, helped.account_metrics) == (frozenset(), (), ("followers",))
    login = Login(server=page.server, remote_id=page.remote_id, credentials=signed.credentials, limits=page.limits)
    await publish(Connector(http, login), saying("Hello"))
    assert linkedin.texts() == ["Hello"]


async def test_an_app_that_anybody_gets_publishes_for_its_member(
    linkedin: Recorded, http: aiohttp.ClientSession
) -> None:
    ready = linkedin.ready_account()["profile"]
    signed = await finish(http, ready, await walk(http, ready))
    (profile,) = signed.profiles
    assert (profile.remote_id, profile.kind, profile.name) == (ready["remote_id"], "profile", "regie manager")
    assert len(profile.limits["missing"]) == 2  # comments, numbers
    can = Connector.can_on(profile.limits)
    assert (can.first_comment, can.post_metrics, can.account_metrics) == (False, (), ())
    assert [quota.limit for quota in can.quotas] == [150]
    login = Login(server=profile.server, remote_id=profile.remote_id, credentials=signed.credentials)
    assert (await Connector(http, login).whoami()).remote_id == profile.remote_id


async def test_without_renewing_a_person_is_told_in_time(linkedin: Recorded, http: aiohttp.ClientSession) -> None:
    ready = linkedin.ready_account()
    signed = await finish(http, ready, await walk(http, ready))
    assert signed.expires_at is None  # there is nothing to trade it for
    assert signed.reconnect_by is not None
    assert timedelta(days=59) < signed.reconnect_by - datetime.now(UTC) < timedelta(days=61)
    page = signed.profiles[0]
    login = Login(server=page.server, remote_id=page.remote_id, credentials=signed.credentials, app=keys(ready))
    with pytest.raises(Refused):
        await Connector(http, login).refresh()


async def test_an_approved_partner_renews_for_a_year(linkedin: Recorded, http: aiohttp.ClientSession) -> None:
    ready = linkedin.ready_account()
    linkedin.state.apps[ready["client_id"]].partner = True
    signed = await finish(http, ready, await walk(http, ready))
    assert signed.expires_at is not None
    assert signed.reconnect_by is not None
    assert signed.reconnect_by - signed.expires_at > timedelta(days=300)
    page = signed.profiles[0]
    login = Login(server=page.server, remote_id=page.remote_id, credentials=signed.credentials, app=keys(ready))
    linkedin.expire_tokens()
    with pytest.raises(TokenExpired):
        await Connector(http, login).whoami()
    fresh = await Connector(http, login).refresh()
    assert fresh.credentials["access_token"] != signed.credentials["access_token"]
    assert fresh.credentials["refresh_token"] == signed.credentials["refresh_token"]
    renewed = replace(login, credentials=fresh.credentials)
    assert (await Connector(http, renewed).whoami()).remote_id == page.remote_id


@pytest.mark.parametrize(
    ("status", "body", "meant"),
    [
        (503, None, TryLater),
        (429, None, TryLater),
        (400, {"error": "invalid_request", "error_description": "The refresh token is expired"}, SignInAgain),
        (401, {"error": "invalid_client", "error_description": "invalid_client"}, Refused),
        (302, "", Refused),
    ],
)
async def test_only_a_dead_token_ends_the_sign_in(
    linkedin: Recorded, http: aiohttp.ClientSession, status: int, body: Any, meant: type[NetworkError]
) -> None:
    ready = linkedin.ready_account()
    credentials = {**ready["credentials"], "refresh_token": "AQr"}
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=credentials, app=keys(ready))
    linkedin.faults.will_answer(status, body=body, path="/oauth/v2/accessToken")
    with pytest.raises(meant) as told:
        await Connector(http, login).refresh()
    assert type(told.value) is meant
    assert "AQr" not in repr(told.value)


async def test_what_was_not_allowed_is_said_before_it_is_tried(linkedin: Recorded, http: aiohttp.ClientSession) -> None:
    ready = linkedin.ready_account()
    back = await walk(http, ready, declined="w_organization_social_feed,r_member_postAnalytics")
    signed = await finish(http, ready, back)
    page, member = signed.profiles
    assert page.limits["missing"] == ["Comments cannot be answered: connect again and allow comments for your Pages."]
    assert not Connector.can_on(page.limits).first_comment
    assert Connector.can_on(member.limits).post_metrics == ()
    assert "w_organization_social_feed" not in signed.scopes


async def test_somebody_who_says_no_is_understood(linkedin: Recorded, http: aiohttp.ClientSession) -> None:
    ready = linkedin.ready_account()
    with pytest.raises(Refused, match="did not allow"):
        await finish(http, ready, await walk(http, ready, decision="deny"))


async def test_an_app_without_the_product_is_told_which(linkedin: Recorded, http: aiohttp.ClientSession) -> None:
    ready = linkedin.ready_account()
    wrong = {**ready["profile"], "server": ready["server"]}  # the other app's keys
    back = await walk(http, wrong)
    with pytest.raises(Refused, match=r"lacks a product.*r_basicprofile"):
        await finish(http, wrong, back)


async def test_a_code_is_good_once(linkedin: Recorded, http: aiohttp.ClientSession) -> None:
    ready = linkedin.ready_account()
    back = await walk(http, ready)
    await finish(http, ready, back)
    with pytest.raises(Refused, match="start again"):
        await finish(http, ready, back)


async def test_a_token_that_was_taken_back_asks_a_person(
    linkedin: Recorded, http: aiohttp.ClientSession, page: Connector
) -> None:
    ready = linkedin.ready_account()
    token = ready["credentials"]["access_token"]
    async with http.post(
        f"{linkedin.base}/oauth/v2/revoke",
        data={"client_id": ready["client_id"], "client_secret": ready["client_secret"], "token": token},
    ) as done:
        assert done.status == 200
    with pytest.raises(SignInAgain):
        await page.whoami()


async def test_the_sandbox_shows_what_was_published_where_we_say(
    linkedin: Recorded, page: Connector, http: aiohttp.ClientSession
) -> None:
    published = await publish(page, saying("Open <today>"))
    linkedin.say(by="Ana", text="Until when?", to=published.remote_id)
    for url in (published.url, (await page.whoami()).url):
        async with http.get(url) as shown:
            text = await shown.text()
        assert "Open &lt;today&gt;" in text
        assert "Until when?" in text


def test_people_read_posts_on_linkedins_own_pages() -> None:
    for server in Connector.logins.values():
        assert post_at(server, "urn:li:share:1") == "https://www.linkedin.com/feed/update/urn:li:share:1/"


def test_one_host_serves_both_kinds_of_app_and_a_stand_in_keeps_its_paths() -> None:
    api, share = Connector.logins.values()
    assert {base_of(server) for server in (api, share)} == {"https://api.linkedin.com"}
    assert {pages_of(server) for server in (api, share)} == {"https://www.linkedin.com"}
    assert [is_share(server) for server in (api, share)] == [False, True]
    assert pages_of("http://127.0.0.1:9/profile") == base_of("http://127.0.0.1:9/profile")
    assert is_share("http://127.0.0.1:9/profile/")


async def test_nobody_is_registered_without_an_app(http: aiohttp.ClientSession) -> None:
    with pytest.raises(Refused, match="Networks"):
        await Connector.register(http, server="", redirect_uri=BACK, website="")
