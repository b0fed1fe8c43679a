"""Connecting an account: app passwords, and OAuth with the sandbox's own pages."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import aiohttp
import pytest

from regie.networks.bluesky import dpop
from regie.networks.bluesky.connector import Bluesky as Connector
from regie.networks.bluesky.sign_in import CLIENT_METADATA_PATH, client_metadata
from regie.networks.data import AppKeys, Login, Outgoing, Picture, SignedIn
from regie.networks.errors import Refused, SignInAgain, TokenExpired, TryLater
from regie_sandbox.bluesky.app import Bluesky
from regie_sandbox.frame import World

Makes = Callable[..., Outgoing]
BACK = "http://127.0.0.1:8765/accounts/bluesky/back"
PUBLIC_BACK = "https://regie.example.org/accounts/bluesky/back"


@pytest.fixture(autouse=True)
def no_nonce_yet() -> None:
    dpop._nonces.clear()


def fields(bluesky: Bluesky, **more: str) -> dict[str, str]:
    return {"handle": "regie.test", "password": bluesky.ready_account()["password"], **more}


def login_of(signed: SignedIn, app: AppKeys | None = None) -> Login:
    (profile,) = signed.profiles
    return Login(server=profile.server, remote_id=profile.remote_id, credentials=signed.credentials, app=app)


async def test_an_app_password_gives_an_account_that_can_publish(
    http: aiohttp.ClientSession, bluesky: Bluesky, outgoing: Makes
) -> None:
    signed = await Connector.sign_in(http, server=bluesky.base + "/", fields=fields(bluesky, handle="@regie.test"))

    (profile,) = signed.profiles
    assert (profile.handle, profile.server) == ("regie.test", bluesky.base)
    assert signed.expires_at is not None
    assert abs(signed.expires_at - datetime.now(UTC) - timedelta(hours=2)) < timedelta(minutes=1)
    await Connector(http, login_of(signed)).commit(outgoing("Connected"), {})
    assert bluesky.texts() == ["Connected"]


@pytest.mark.parametrize("wrong", [{"password": "guess"}, {"handle": "nobody.test"}])
async def test_a_wrong_password_is_refused_with_a_way_out(
    http: aiohttp.ClientSession, bluesky: Bluesky, wrong: dict[str, str]
) -> None:
    with pytest.raises(Refused, match="App passwords are made in Settings"):
        await Connector.sign_in(http, server=bluesky.base, fields=fields(bluesky, **wrong))


async def test_an_account_with_a_second_factor_is_told_to_use_an_app_password(
    http: aiohttp.ClientSession, bluesky: Bluesky
) -> None:
    said = {"error": "AuthFactorTokenRequired", "message": "A sign in code has been sent to your email address"}
    bluesky.faults.will_answer(401, body=said)
    with pytest.raises(Refused, match="use an app password instead"):
        await Connector.sign_in(http, server=bluesky.base, fields=fields(bluesky))


async def test_nothing_typed_is_refused_without_asking(http: aiohttp.ClientSession, bluesky: Bluesky) -> None:
    with pytest.raises(Refused):
        await Connector.sign_in(http, server=bluesky.base, fields={"handle": " ", "password": ""})


async def test_an_account_that_lives_elsewhere_is_found_by_its_handle(
    http: aiohttp.ClientSession, bluesky: Bluesky, addressed: type[Connector]
) -> None:
    """The default server does not know the password; the identity document leads to the one that does."""
    elsewhere = bluesky.base.replace("127.0.0.1", "localhost")
    addressed.default_server = elsewhere
    bluesky.faults.will_answer(401, path="createSession")
    signed = await addressed.sign_in(http, server="", fields=fields(bluesky))
    assert signed.profiles[0].server == bluesky.base


async def test_the_thirty_first_sign_in_within_five_minutes_waits(
    http: aiohttp.ClientSession, bluesky: Bluesky
) -> None:
    for _ in range(30):
        with pytest.raises(Refused):
            await Connector.sign_in(http, server=bluesky.base, fields=fields(bluesky, password="guess"))
    with pytest.raises(TryLater) as slow:
        await Connector.sign_in(http, server=bluesky.base, fields=fields(bluesky))
    assert slow.value.not_before is not None


async def test_a_session_is_refreshed_and_a_lost_answer_does_not_end_it(
    connector: Connector, bluesky: Bluesky, http: aiohttp.ClientSession
) -> None:
    bluesky.faults.will_lose_answer(path="refreshSession")
    with pytest.raises(TryLater):
        await connector.refresh()
    signed = await connector.refresh()
    assert signed.credentials["refresh"] != connector._xrpc.login.credentials["refresh"]
    assert (await Connector(http, login_of(signed)).whoami()).handle == "regie.test"


async def test_a_refresh_token_that_ran_out_asks_for_a_person(connector: Connector, world: World) -> None:
    world.clock.advance(timedelta(days=61))
    with pytest.raises(SignInAgain):
        await connector.refresh()


async def test_an_outage_during_a_refresh_leaves_the_account_connected(connector: Connector, bluesky: Bluesky) -> None:
    bluesky.faults.will_answer(503)
    with pytest.raises(TryLater):
        await connector.refresh()


async def test_a_revoked_session_is_dead_and_may_be_revoked_again(connector: Connector) -> None:
    await connector.revoke()
    await connector.revoke()
    with pytest.raises(SignInAgain):
        await connector.whoami()


# OAuth


async def let_in(http: aiohttp.ClientSession, url: str, *, password: str, answer: str = "accept") -> dict[str, str]:
    """What a person does on the page: sign in, then accept or deny. Returns what comes back in the address."""

    def hidden(page: str) -> dict[str, str]:
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.replace("&amp;", "&")))

    action = url.split("?")[0]
    async with http.get(url) as page:
        form = hidden(await page.text())
    async with http.post(action, data={**form, "username": "regie.test", "password": password}) as page:
        form = hidden(await page.text())
    async with http.post(action, data={**form, "answer": answer}, allow_redirects=False) as reply:
        assert reply.status == 303, await reply.text()
        return dict(parse_qsl(urlsplit(reply.headers["Location"]).query))


async def connected(http: aiohttp.ClientSession, bluesky: Bluesky, app: AppKeys, back: str = BACK) -> SignedIn:
    begun = await Connector.start(http, server=bluesky.base, app=app, redirect_uri=back, hint="regie.test")
    query = await let_in(http, begun.url, password=bluesky.ready_account()["password"])
    assert query["state"] == begun.state
    return await Connector.finish(
        http, server=bluesky.base, app=app, redirect_uri=back, query=query, secrets=begun.secrets
    )


@pytest.fixture
async def app(http: aiohttp.ClientSession, bluesky: Bluesky, addressed: type[Connector]) -> AppKeys:
    bluesky.ready_account()
    return await addressed.register(http, server=bluesky.base, redirect_uri=BACK, website="http://127.0.0.1:8765")


@pytest.mark.shows("sign_in")
async def test_an_account_connected_by_oauth_publishes_refreshes_and_leaves(
    http: aiohttp.ClientSession, bluesky: Bluesky, app: AppKeys, outgoing: Makes
) -> None:
    signed = await connected(http, bluesky, app)
    assert signed.scopes == ("atproto", "transition:generic", "transition:chat.bsky")
    assert signed.profiles[0].handle == "regie.test"
    assert signed.profiles[0].limits == {"chat": True, "missing": []}

    connector = Connector(http, login_of(signed, app))
    await connector.commit(outgoing("By OAuth"), {})
    assert bluesky.texts() == ["By OAuth"]

    fresh = await connector.refresh()
    again = Connector(http, replace(login_of(signed, app), credentials=fresh.credentials))
    assert (await again.whoami()).handle == "regie.test"
    await again.revoke()
    with pytest.raises(TokenExpired):
        await again.whoami()
    with pytest.raises(SignInAgain):
        await again.refresh()


async def test_a_new_nonce_is_taken_up_without_a_second_post(
    http: aiohttp.ClientSession, bluesky: Bluesky, world: World, app: AppKeys, outgoing: Makes
) -> None:
    connector = Connector(http, login_of(await connected(http, bluesky, app), app))
    dpop._nonces[bluesky.base] = "of yesterday"
    published = await connector.commit(outgoing("Once"), {})
    assert bluesky.posts() == [published.remote_id]
    assert dpop._nonces[bluesky.base] != "of yesterday"


async def test_a_picture_is_whole_when_its_first_upload_met_a_new_nonce(
    http: aiohttp.ClientSession, bluesky: Bluesky, app: AppKeys, outgoing: Makes, picture: Picture
) -> None:
    connector = Connector(http, login_of(await connected(http, bluesky, app), app))
    dpop._nonces[bluesky.base] = "of yesterday"
    await connector.prepare(outgoing("Look", pictures=(picture,)), {})
    assert [blob.size for blob in bluesky.state.blobs.values()] == [picture.path.stat().st_size]


async def test_an_oauth_token_is_worth_nothing_without_its_key(
    http: aiohttp.ClientSession, bluesky: Bluesky, app: AppKeys
) -> None:
    login = login_of(await connected(http, bluesky, app), app)
    stolen = replace(login, credentials={**login.credentials, "dpop_key": dpop.new_key()})
    with pytest.raises(TokenExpired):
        await Connector(http, stolen).whoami()
    with pytest.raises(SignInAgain):
        await Connector(http, stolen).refresh()


async def test_a_replayed_refresh_token_ends_the_session(
    http: aiohttp.ClientSession, bluesky: Bluesky, app: AppKeys
) -> None:
    login = login_of(await connected(http, bluesky, app), app)
    fresh = await Connector(http, login).refresh()
    with pytest.raises(SignInAgain):
        await Connector(http, login).refresh()
    with pytest.raises(SignInAgain):
        await Connector(http, replace(login, credentials=fresh.credentials)).refresh()


async def test_an_oauth_token_that_ran_out_asks_for_a_refresh(
    http: aiohttp.ClientSession, bluesky: Bluesky, world: World, app: AppKeys
) -> None:
    connector = Connector(http, login_of(await connected(http, bluesky, app), app))
    world.clock.advance(timedelta(hours=2))
    with pytest.raises(TokenExpired):
        await connector.whoami()
    assert (await connector.refresh()).credentials["access"]


async def test_whoever_says_no_on_the_page_is_not_connected(
    http: aiohttp.ClientSession, bluesky: Bluesky, app: AppKeys
) -> None:
    begun = await Connector.start(http, server=bluesky.base, app=app, redirect_uri=BACK)
    query = await let_in(http, begun.url, password=bluesky.ready_account()["password"], answer="deny")
    with pytest.raises(Refused, match="Access was not granted"):
        await Connector.finish(
            http, server=bluesky.base, app=app, redirect_uri=BACK, query=query, secrets=begun.secrets
        )


@pytest.mark.parametrize("spoil", [{"iss": "https://evil.example"}, {"code": "cod-guess"}])
async def test_a_forged_return_is_refused(
    http: aiohttp.ClientSession, bluesky: Bluesky, app: AppKeys, spoil: Mapping[str, str]
) -> None:
    begun = await Connector.start(http, server=bluesky.base, app=app, redirect_uri=BACK)
    query = await let_in(http, begun.url, password=bluesky.ready_account()["password"])
    with pytest.raises(Refused):
        await Connector.finish(
            http, server=bluesky.base, app=app, redirect_uri=BACK, query={**query, **spoil}, secrets=begun.secrets
        )


async def test_a_server_may_not_speak_for_somebody_elses_account(
    http: aiohttp.ClientSession, bluesky: Bluesky, app: AppKeys
) -> None:
    """The identity document, not the server that gave the token, says where an account lives."""
    begun = await Connector.start(http, server=bluesky.base, app=app, redirect_uri=BACK)
    query = await let_in(http, begun.url, password=bluesky.ready_account()["password"])
    did = bluesky.person("regie").did
    service = {"id": "#atproto_pds", "serviceEndpoint": bluesky.base.replace("127.0.0.1", "localhost")}
    bluesky.faults.will_answer(200, path=did, body={"id": did, "service": [service]})
    elsewhere = {"authorization_servers": ["https://elsewhere.example"]}
    bluesky.faults.will_answer(200, path="oauth-protected-resource", body=elsewhere)
    other = {
        "issuer": "https://elsewhere.example",
        **dict.fromkeys(("authorization_endpoint", "token_endpoint"), "https://elsewhere.example/x"),
        "pushed_authorization_request_endpoint": "https://elsewhere.example/x",
    }
    bluesky.faults.will_answer(200, path="oauth-authorization-server", body=other)
    with pytest.raises((Refused, TryLater)):
        await Connector.finish(
            http, server=bluesky.base, app=app, redirect_uri=BACK, query=query, secrets=begun.secrets
        )


async def test_a_handle_that_nobody_has_is_said_before_any_page(
    http: aiohttp.ClientSession, bluesky: Bluesky, app: AppKeys
) -> None:
    with pytest.raises(Refused, match=r"nobody called nobody\.test"):
        await Connector.start(http, server=bluesky.base, app=app, redirect_uri=BACK, hint="nobody.test")


async def test_a_public_installation_signs_as_itself(
    http: aiohttp.ClientSession, bluesky: Bluesky, addressed: type[Connector]
) -> None:
    bluesky.ready_account()
    app = await addressed.register(
        http, server=bluesky.base, redirect_uri=PUBLIC_BACK, website="https://regie.example.org"
    )
    document = client_metadata(app)
    assert app.client_id == f"https://regie.example.org{CLIENT_METADATA_PATH}" == document["client_id"]
    assert "PRIVATE" not in json.dumps(document)
    assert '"d":' not in json.dumps(document)

    bluesky.oauth.clients[app.client_id] = document  # as if read from that address
    signed = await connected(http, bluesky, app, back=PUBLIC_BACK)
    assert (await Connector(http, login_of(signed, app)).refresh()).credentials["refresh"]

    second = await addressed.register(
        http, server="https://other.example", redirect_uri=PUBLIC_BACK, website="https://regie.example.org"
    )
    bluesky.oauth.clients[app.client_id] = client_metadata(app, second)
    assert (await connected(http, bluesky, second, back=PUBLIC_BACK)).profiles[0].handle == "regie.test"

    forged = replace(app, client_secret=dpop.new_key())
    with pytest.raises(Refused, match="Client authentication failed"):
        await connected(http, bluesky, forged, back=PUBLIC_BACK)


async def test_only_https_or_loopback_can_use_oauth(http: aiohttp.ClientSession) -> None:
    with pytest.raises(Refused, match=r"https|127\.0\.0\.1"):
        await Connector.register(http, server="", redirect_uri="http://regie.local/back", website="http://regie.local")


async def test_a_registration_from_before_direct_messages_still_signs_in_without_them(
    http: aiohttp.ClientSession, bluesky: Bluesky, app: AppKeys
) -> None:
    before = replace(app, client_id=app.client_id.replace("%20transition%3Achat.bsky", ""))
    assert before != app
    signed = await connected(http, bluesky, before)
    assert signed.scopes == ("atproto", "transition:generic")
    assert signed.profiles[0].limits["chat"] is False


async def test_the_loopback_client_names_its_way_back_in_its_id(app: AppKeys) -> None:
    address = urlsplit(app.client_id)
    assert (address.scheme, address.netloc) == ("http", "localhost")
    assert parse_qs(address.query) == {
        "redirect_uri": [BACK],
        "scope": ["atproto transition:generic transition:chat.bsky"],
    }


async def test_the_sandbox_refuses_what_the_vendor_refuses(
    http: aiohttp.ClientSession, bluesky: Bluesky, app: AppKeys
) -> None:
    async def par(**more: str) -> dict[str, Any]:
        form = {
            "client_id": app.client_id,
            "response_type": "code",
            "redirect_uri": BACK,
            "scope": "atproto",
            "code_challenge": "x" * 43,
            "code_challenge_method": "S256",
            **more,
        }
        url = f"{bluesky.base}/oauth/par"
        async with http.post(url, data=form, headers={"DPoP": dpop.proof(key, "POST", url)}) as reply:
            if nonce := reply.headers.get("DPoP-Nonce"):
                dpop._nonces[bluesky.base] = nonce
            said: dict[str, Any] = await reply.json()
            return {"status": reply.status, **said}

    key = dpop.new_key()
    assert (await par())["error"] == "use_dpop_nonce"
    assert (await par())["status"] == 201
    assert (await par(scope="atproto transition:everything"))["error"] == "invalid_scope"
    assert (await par(redirect_uri="http://127.0.0.1/elsewhere"))["error"] == "invalid_request"
    assert (await par(code_challenge_method="plain"))["error"] == "invalid_request"
    assert (await par(client_id="http://evil.example/metadata"))["error"] == "invalid_client_metadata"


def test_a_proof_is_a_signed_token_bound_to_one_request() -> None:
    key = dpop.new_key()
    head, claims, signature = (
        base64.urlsafe_b64decode(part + "==") for part in dpop.proof(key, "POST", "https://a.example/x?y=1").split(".")
    )
    assert json.loads(head)["jwk"] == dpop.public_jwk(key)
    assert json.loads(claims)["htu"] == "https://a.example/x"
    assert len(signature) == 64
