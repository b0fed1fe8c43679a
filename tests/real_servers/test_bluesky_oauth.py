"""Bluesky's OAuth from one end to the other: PAR, PKCE and DPoP, and the PDS's own pages in Chromium."""

import base64
import hashlib
import http.server
import json
import secrets
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from playwright.sync_api import Page, sync_playwright

from .pages import consent_on_pds
from .processes import CHROMIUM
from .servers import BlueskyAccount, BlueskyNetwork

pytestmark = [pytest.mark.real, pytest.mark.browser, pytest.mark.xdist_group("real")]

SCOPE = "atproto transition:generic"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def packed(value: Any) -> str:
    return b64(json.dumps(value).encode())


@dataclass
class App:
    """A small public client with one key, as a test needs it: it asks again when told a new nonce."""

    redirect_uri: str
    http: httpx.Client
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    nonce: str = ""

    @property
    def client_id(self) -> str:
        return "http://localhost?" + urllib.parse.urlencode({"redirect_uri": self.redirect_uri, "scope": SCOPE})

    def where_to_send_the_person(self, pds: str, **more: str) -> str:
        asked = {"response_type": "code", "redirect_uri": self.redirect_uri, "scope": SCOPE, "state": "xyz", **more}
        challenge = b64(hashlib.sha256(self.verifier.encode()).digest())
        pushed = self.post(f"{pds}/oauth/par", asked | {"code_challenge": challenge, "code_challenge_method": "S256"})
        query = {"client_id": self.client_id, "request_uri": pushed["request_uri"]}
        return f"{pds}/oauth/authorize?{urllib.parse.urlencode(query)}"

    def tokens(self, pds: str, code: str) -> dict[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.redirect_uri}
        return self.post(f"{pds}/oauth/token", form | {"code_verifier": self.verifier})

    def post(self, url: str, form: dict[str, str]) -> dict[str, Any]:
        answer = self.send(url, data=form | {"client_id": self.client_id})
        assert answer.is_success, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def send(self, url: str, *, token: str = "", **body: Any) -> httpx.Response:
        for _ in range(2):
            headers = {"dpop": self.proof(url, token)} | ({"authorization": f"DPoP {token}"} if token else {})
            answer = self.http.post(url, headers=headers, **body)
            self.nonce = answer.headers.get("dpop-nonce", self.nonce)
            if answer.status_code not in (400, 401) or "use_dpop_nonce" not in answer.text:
                break
        return answer

    def proof(self, url: str, token: str) -> str:
        """A DPoP proof (RFC 9449) of our key for one POST."""
        point = self.key.public_key().public_numbers()
        jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": b64(point.x.to_bytes(32, "big")),
            "y": b64(point.y.to_bytes(32, "big")),
        }
        claims = {"jti": secrets.token_hex(8), "htm": "POST", "htu": url, "iat": int(time.time()), "nonce": self.nonce}
        if token:
            claims["ath"] = b64(hashlib.sha256(token.encode()).digest())
        signed = f"{packed({'typ': 'dpop+jwt', 'alg': 'ES256', 'jwk': jwk})}.{packed(claims)}"
        r, s = decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


@pytest.fixture
def app() -> Iterator[App]:
    """An app with a page to come back to."""

    class Welcome(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name http.server looks for
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"Welcome back")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Welcome) as server, httpx.Client() as client:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield App(f"http://127.0.0.1:{server.server_port}/callback", client)
        server.shutdown()


@pytest.fixture(scope="module", params=["en-US", "fr-FR"])
def page(request: pytest.FixtureRequest) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser.new_page(locale=request.param)
        finally:
            browser.close()


@pytest.fixture
def account(bluesky_network: BlueskyNetwork) -> BlueskyAccount:
    return bluesky_network.create_account(f"o{secrets.token_hex(5)}.test")


def came_back_with(page: Page) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).query))


def test_a_person_lets_an_app_in_and_it_posts_with_a_key_bound_token(
    bluesky_network: BlueskyNetwork, account: BlueskyAccount, app: App, page: Page
) -> None:
    pds = bluesky_network.pds_url
    page.goto(app.where_to_send_the_person(pds, login_hint=account.handle))
    consent_on_pds(page, account.handle, account.password)

    said = came_back_with(page)
    assert (said["state"], said["iss"]) == ("xyz", pds)
    tokens = app.tokens(pds, said["code"])
    assert (tokens["sub"], tokens["token_type"], tokens["scope"]) == (account.did, "DPoP", SCOPE)

    record = {"text": "Posted by an app", "createdAt": "2026-01-01T00:00:00Z"}
    made = {"repo": account.did, "collection": "app.bsky.feed.post", "record": record}
    create = f"{pds}/xrpc/com.atproto.repo.createRecord"
    assert app.send(create, token=tokens["access_token"], json=made).status_code == 200
    thief = App(app.redirect_uri, app.http, nonce=app.nonce)
    assert thief.send(create, token=tokens["access_token"], json=made).status_code == 401


def test_a_person_who_must_say_who_they_are_may_turn_the_app_away(
    bluesky_network: BlueskyNetwork, account: BlueskyAccount, app: App, page: Page
) -> None:
    page.goto(app.where_to_send_the_person(bluesky_network.pds_url))
    consent_on_pds(page, account.handle, account.password, allow=False)
    assert came_back_with(page)["error"] == "access_denied"


def test_a_refresh_token_works_once(
    bluesky_network: BlueskyNetwork, account: BlueskyAccount, app: App, page: Page
) -> None:
    pds = bluesky_network.pds_url
    page.goto(app.where_to_send_the_person(pds, login_hint=account.handle))
    consent_on_pds(page, account.handle, account.password)
    first = app.tokens(pds, came_back_with(page)["code"])
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert app.post(f"{pds}/oauth/token", refresh)["sub"] == account.did
    replayed = app.send(f"{pds}/oauth/token", data=refresh | {"client_id": app.client_id})
    assert (replayed.status_code, replayed.json()["error"]) == (400, "invalid_grant")


def test_a_browser_that_is_signed_in_consents_without_a_password(
    bluesky_network: BlueskyNetwork, account: BlueskyAccount, app: App, page: Page
) -> None:
    for _ in range(2):
        page.goto(app.where_to_send_the_person(bluesky_network.pds_url, login_hint=account.handle))
        consent_on_pds(page, account.handle, account.password)
        assert "code" in came_back_with(page)
