"""Registering on a server and signing in there. Source: docs.joinmastodon.org/spec/oauth and methods/apps."""

from __future__ import annotations

import base64
import hashlib
import secrets as dice
from collections.abc import Mapping
from urllib.parse import urlencode

import aiohttp

from regie.networks.data import AppKeys, SigningIn
from regie.networks.errors import NetworkError, Refused
from regie.networks.line import Answer, read
from regie.networks.mastodon.entities import App, OAuthMetadata, Token
from regie.networks.mastodon.wire import NETWORK, must_be_fine, parsed, says

SCOPES = "read:accounts read:statuses read:notifications write:statuses write:media write:favourites"


def address(server: str) -> str:
    """A server's address as a person may type it: ``mastodon.example`` is ``https://mastodon.example``."""
    server = server.strip().rstrip("/")
    return server if "://" in server else f"https://{server}"


async def register(http: aiohttp.ClientSession, *, server: str, redirect_uri: str, website: str) -> AppKeys:
    answer = await _post(
        http,
        f"{address(server)}/api/v1/apps",
        {"client_name": "Régie", "redirect_uris": redirect_uri, "scopes": SCOPES, "website": website},
    )
    must_be_fine(answer)
    app = parsed(answer, App)
    return AppKeys(client_id=app.client_id, client_secret=app.client_secret)


async def start(http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str) -> SigningIn:
    """The address of the server's own page. With PKCE where the server says it knows S256, plain where it does not."""
    state, verifier = dice.token_urlsafe(24), dice.token_urlsafe(48)
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": SCOPES,
        "state": state,
    }
    secrets = {}
    if await _knows_s256(http, address(server)):
        digest = hashlib.sha256(verifier.encode()).digest()
        query["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        query["code_challenge_method"] = "S256"
        secrets["verifier"] = verifier
    return SigningIn(url=f"{address(server)}/oauth/authorize?{urlencode(query)}", state=state, secrets=secrets)


async def _knows_s256(http: aiohttp.ClientSession, server: str) -> bool:
    url = f"{server}/.well-known/oauth-authorization-server"
    try:
        answer = await read(http, "GET", url, network=NETWORK, fresh=True)
        must_be_fine(answer)
        return "S256" in parsed(answer, OAuthMetadata).code_challenge_methods_supported
    except NetworkError:
        return False  # before Mastodon 4.3, and elsewhere, there is no such page


async def token_for(
    http: aiohttp.ClientSession,
    *,
    server: str,
    app: AppKeys,
    redirect_uri: str,
    query: Mapping[str, str],
    secrets: Mapping[str, str],
) -> Token:
    """Trade the code. Raises Refused when the person said no, or when the code has run out."""
    if query.get("error") == "access_denied":
        raise Refused("You did not allow the connection on the {network} page.", network=NETWORK)
    if "code" not in query:
        reason = query.get("error_description") or query.get("error") or "no code came back"
        raise Refused("{network} said: {reason}", network=NETWORK, reason=reason)
    fields = {
        "grant_type": "authorization_code",
        "code": query["code"],
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": redirect_uri,
    }
    if "verifier" in secrets:
        fields["code_verifier"] = secrets["verifier"]
    answer = await _post(http, f"{address(server)}/oauth/token", fields)
    if answer.status in (400, 401):
        raise Refused(
            "The sign-in ran out or was used already ({reason}); start again.", reason=says(answer), answer=answer
        )
    must_be_fine(answer)
    return parsed(answer, Token)


async def revoke(http: aiohttp.ClientSession, *, server: str, app: AppKeys, token: str) -> None:
    fields = {"client_id": app.client_id, "client_secret": app.client_secret, "token": token}
    must_be_fine(await _post(http, f"{address(server)}/oauth/revoke", fields))


async def _post(http: aiohttp.ClientSession, url: str, fields: Mapping[str, str]) -> Answer:
    """Repeating any of these harms nobody: at worst the server keeps a registration that is never used."""
    return await read(http, "POST", url, network=NETWORK, data=dict(fields), fresh=True)
