"""Connecting an account on any server: registration, the sign-in page, limits, leaving."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from regie.networks.capabilities import Answering, Repeatable, Search
from regie.networks.data import AppKeys, Login
from regie.networks.errors import Refused, SignInAgain, TryLater
from regie.networks.mastodon.connector import Mastodon as Connector
from regie.networks.mastodon.limits import software_in
from regie_sandbox.mastodon.app import Mastodon

BACK = "https://regie.example/networks/mastodon/back"


async def register(http: aiohttp.ClientSession, server: str) -> AppKeys:
    return await Connector.register(http, server=server, redirect_uri=BACK, website="https://regie.example")


async def allow(http: aiohttp.ClientSession, url: str, decision: str = "authorize") -> dict[str, str]:
    """What a person does on the server's page: look, and click. Returns what comes back with the browser."""
    async with http.get(url) as page:
        assert page.status == 200
        assert "Authorize" in await page.text()
    fields = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    where = url.split("?")[0]
    async with http.post(
        where, data={**fields, "username": "regie", "decision": decision}, allow_redirects=False
    ) as reply:
        return {name: values[0] for name, values in parse_qs(urlsplit(reply.headers["Location"]).query).items()}


@pytest.mark.shows("sign_in")
async def test_an_account_is_connected_with_pkce(http: aiohttp.ClientSession, mastodon: Mastodon) -> None:
    app = await register(http, mastodon.base)
    signing_in = await Connector.start(http, server=mastodon.base, app=app, redirect_uri=BACK)
    assert "code_challenge_method=S256" in signing_in.url
    query = await allow(http, signing_in.url)
    assert query["state"] == signing_in.state
    finish: dict[str, Any] = {"server": mastodon.base, "app": app, "redirect_uri": BACK, "query": query}
    signed_in = await Connector.finish(http, secrets=signing_in.secrets, **finish)
    (profile,) = signed_in.profiles
    assert (profile.remote_id, profile.handle) == (
        mastodon.person("regie").id,
        f"@regie@{mastodon.base.removeprefix('http://')}",
    )
    assert "write:statuses" in signed_in.scopes
    assert "expires" not in repr(signed_in).lower() or signed_in.expires_at is None
    assert signed_in.credentials["access_token"] not in repr(signed_in)
    with pytest.raises(Refused, match="start again"):  # a code serves once
        await Connector.finish(http, secrets=signing_in.secrets, **finish)

    login = Login(server=mastodon.base, credentials=signed_in.credentials, app=app)
    connector = Connector(http, login)
    await connector.whoami()
    await connector.revoke()
    with pytest.raises(SignInAgain):
        await connector.whoami()


async def test_a_stolen_code_is_worth_nothing_without_the_verifier(
    http: aiohttp.ClientSession, mastodon: Mastodon
) -> None:
    app = await register(http, mastodon.base)
    signing_in = await Connector.start(http, server=mastodon.base, app=app, redirect_uri=BACK)
    query = await allow(http, signing_in.url)
    with pytest.raises(Refused):
        await Connector.finish(
            http, server=mastodon.base, app=app, redirect_uri=BACK, query=query, secrets={"verifier": "wrong"}
        )


async def test_a_server_without_pkce_gets_the_plain_flow(http: aiohttp.ClientSession, mastodon: Mastodon) -> None:
    mastodon.faults.will_answer(404, path="/.well-known/oauth-authorization-server")
    app = await register(http, mastodon.base)
    signing_in = await Connector.start(http, server=mastodon.base, app=app, redirect_uri=BACK)
    assert "code_challenge" not in signing_in.url
    query = await allow(http, signing_in.url)
    signed_in = await Connector.finish(
        http, server=mastodon.base, app=app, redirect_uri=BACK, query=query, secrets=signing_in.secrets
    )
    assert signed_in.profiles[0].name == "regie"


async def test_a_person_who_says_no_is_told_so(http: aiohttp.ClientSession, mastodon: Mastodon) -> None:
    app = await register(http, mastodon.base)
    signing_in = await Connector.start(http, server=mastodon.base, app=app, redirect_uri=BACK)
    query = await allow(http, signing_in.url, decision="deny")
    with pytest.raises(Refused, match="did not allow"):
        await Connector.finish(http, server=mastodon.base, app=app, redirect_uri=BACK, query=query, secrets={})


async def test_whoami_brings_the_servers_limits(connector: Connector) -> None:
    profile = await connector.whoami()
    can = Connector.can_on(profile.limits)
    assert can.text.longest == 500
    assert can.repeat == Repeatable(for_=timedelta(hours=1), then=Search(visible_within=timedelta(seconds=30)))
    assert can.images is not None
    assert (can.images.most, can.images.largest_pixels, can.images.longest_alt) == (4, 33_177_600, 1500)
    assert can.poll is not None
    assert can.poll.longest == timedelta(seconds=2_629_746)


async def test_a_server_that_knows_only_version_1_is_read_too(
    connector: Connector, mastodon: Mastodon, login: Login, http: aiohttp.ClientSession
) -> None:
    """As snac answers: no version 2, its own name in nodeinfo, long texts, polls named but dropped."""
    mastodon.faults.will_answer(404, path="/api/v2/instance")
    mastodon.faults.will_answer(
        200, path="/nodeinfo/2.0", body={"software": {"name": "snac", "version": "2.75"}, "version": "2.0"}
    )
    profile = await connector.whoami()
    assert (profile.limits["software"], profile.limits["honours_key"]) == ("snac", False)
    can = Connector.can_on(profile.limits)
    assert isinstance(can.repeat, Search)
    assert (can.poll, can.delete, Answering.DELETE_OWN in can.answers) == (None, False, False)
    on_snac = Connector(http, replace(login, limits=profile.limits))  # each request on its own connection, as a form
    assert (await on_snac.whoami()).remote_id == login.remote_id


async def test_the_version_text_has_to_do_where_there_is_no_nodeinfo(connector: Connector, mastodon: Mastodon) -> None:
    mastodon.faults.will_answer(404, path="/.well-known/nodeinfo")
    assert (await connector.whoami()).limits["software"] == "mastodon"


@pytest.mark.parametrize(
    ("version", "software"),
    [
        ("4.5.2", "mastodon"),
        ("4.5.0+glitch", "glitch-soc"),
        ("2.7.2 (compatible; Akkoma 3.13.2)", "akkoma"),
        ("0.17.3 GoToSocial", "gotosocial"),
        ("4.0.0 (not really; snac/2.75)", "snac"),
        ("something else", ""),
    ],
)
def test_software_is_read_out_of_a_version(version: str, software: str) -> None:
    assert software_in(version)[0] == software


async def test_an_unknown_server_is_searched_and_never_trusted_with_a_key() -> None:
    can = Connector.can_on({"software": "something", "characters": 5000})
    assert isinstance(can.repeat, Search)
    assert can.text.longest == 5000


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (web.Response(status=301, headers={"Location": "https://elsewhere.example/"}), "only leads elsewhere"),
        (web.Response(text="<!doctype html><html>a shop</html>", content_type="text/html"), "not a Mastodon server"),
        (web.Response(status=404, text="<html>nothing</html>", content_type="text/html"), "not a Mastodon server"),
        (web.json_response({"hello": "world"}), "not a Mastodon server"),
    ],
)
async def test_an_address_that_is_no_mastodon_server_is_named_as_such(
    http: aiohttp.ClientSession, answer: web.Response, said: str
) -> None:
    async def other(_: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", other)
    async with TestServer(app) as server:
        with pytest.raises(Refused, match=said):
            await register(http, f"http://127.0.0.1:{server.port}")


async def test_a_server_that_is_not_there_is_tried_later(http: aiohttp.ClientSession) -> None:
    with pytest.raises(TryLater):
        await register(http, "http://127.0.0.1:9")
