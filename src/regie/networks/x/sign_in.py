"""OAuth 2 with PKCE, as a confidential client. Source: fundamentals/authentication/oauth-2-0 of docs.x.com.

The access token lasts two hours; the refresh token is good for one refresh, whose answer brings the next.
"""

from __future__ import annotations

import base64
import hashlib
import secrets as dice
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp

from regie.networks.data import AppKeys, Login, Profile, SignedIn, SigningIn
from regie.networks.errors import Refused, SignInAgain
from regie.networks.line import Answer, read
from regie.networks.x.entities import Me, Token, User
from regie.networks.x.wire import NETWORK, Wire, must_be_fine, parsed, problem_in, site_of

SCOPES = (
    "tweet.read",
    "tweet.write",
    "tweet.moderate.write",
    "users.read",
    "media.write",
    "dm.read",
    "dm.write",
    "like.read",
    "like.write",
    "offline.access",
)
MISSING = {  # a scope -> what cannot be done without it
    "tweet.write": "Nothing can be published: give your app at X the right to write, and connect again.",
    "media.write": "No pictures or videos can be published: connect again with all permissions.",
    "tweet.moderate.write": "Replies cannot be hidden: connect again with all permissions.",
    "dm.read": "Direct messages cannot be read: give your app at X the right to direct messages, and connect again.",
    "dm.write": "Direct messages cannot be answered: give your app at X the right to them, and connect again.",
    "offline.access": "The connection ends in two hours: connect again with all permissions.",
}
OF_ME = "profile_image_url,public_metrics,subscription_type"
DEAD = frozenset(("invalid_grant", "invalid_request"))  # the second is what X says of a refresh token it used before


def no_app() -> Refused:
    return Refused("{network} needs an app of your own first: see Networks, then enter its keys.", network=NETWORK)


def start(server: str, *, app: AppKeys, redirect_uri: str) -> SigningIn:
    """The address of X's own page, which asks whoever is signed in there."""
    state, verifier = dice.token_urlsafe(24), dice.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(SCOPES),
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    url = f"{site_of(server)}/i/oauth2/authorize?{urlencode(query, quote_via=quote)}"
    return SigningIn(url=url, state=state, secrets={"verifier": verifier})


async def finish(
    http: aiohttp.ClientSession,
    *,
    server: str,
    app: AppKeys,
    redirect_uri: str,
    query: Mapping[str, str],
    secrets: Mapping[str, str],
) -> SignedIn:
    """Trades the code, which lives thirty seconds. Raises Refused when the person said no, or was too late."""
    if query.get("error") == "access_denied":
        raise Refused("You did not allow the connection on the {network} page.", network=NETWORK)
    if not query.get("code"):
        reason = query.get("error_description") or query.get("error") or "no code came back"
        raise Refused("{network} said: {reason}", network=NETWORK, reason=reason)
    fields = {
        "grant_type": "authorization_code",
        "code": query["code"],
        "redirect_uri": redirect_uri,
        "code_verifier": secrets.get("verifier", ""),
    }
    answer = await _ask(http, server, "token", app, fields)
    if answer.status in (400, 401):
        reason = problem_in(answer).words
        raise Refused("The sign-in ran out or was used already ({reason}); start again.", reason=reason, answer=answer)
    must_be_fine(answer)
    token = parsed(answer, Token)
    login = Login(server=server, credentials=credentials_of(token, answer), app=app, limits=_granted(token))
    profile = await whoami(Wire(http, login))
    return SignedIn(
        credentials=login.credentials,
        profiles=(profile,),
        expires_at=_ends_at(token, answer),
        scopes=tuple(token.scope.split()),
    )


def credentials_of(token: Token, answer: Answer) -> dict[str, str]:
    """``issued_at``: seconds since 1970, by X's clock."""
    issued = answer.now
    found = {"access_token": token.access_token, "issued_at": str(int(issued.timestamp()))}
    return {**found, "refresh_token": token.refresh_token} if token.refresh_token else found


def _granted(token: Token) -> dict[str, Any]:
    scopes = token.scope.split()
    return {"scopes": scopes, "missing": missing(scopes)}


def missing(scopes: Sequence[str]) -> list[str]:
    """What cannot be done, in words. Nothing is said when X did not tell what was granted."""
    return [said for scope, said in MISSING.items() if scopes and scope not in scopes]


def _ends_at(token: Token, answer: Answer) -> datetime | None:
    began = answer.now
    return began + timedelta(seconds=token.expires_in) if token.expires_in else None


async def _ask(http: aiohttp.ClientSession, server: str, what: str, app: AppKeys, fields: Mapping[str, str]) -> Answer:
    """With the secret by HTTP Basic; an app without one names itself in the form."""
    body, headers = dict(fields), {}
    if app.client_secret:
        pair = f"{quote(app.client_id, safe='')}:{quote(app.client_secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        body["client_id"] = app.client_id
    url = f"{server.rstrip('/')}/2/oauth2/{what}"
    return await read(http, "POST", url, network=NETWORK, data=body, headers=headers)


async def me(wire: Wire) -> User:
    return parsed(await wire.get("/2/users/me", {"user.fields": OF_ME}), Me).data


async def whoami(wire: Wire) -> Profile:
    found, known = await me(wire), wire.login.limits
    plan = str(wire.login.app.extra.get("plan", "")) if wire.login.app is not None else str(known.get("plan", ""))
    kept = {name: known[name] for name in ("scopes", "missing") if known.get(name)}
    return Profile(
        remote_id=found.id,
        name=found.name or found.username or found.id,
        handle=f"@{found.username}",
        server=wire.server,
        url=f"{site_of(wire.server)}/{found.username}",
        avatar_url=(found.profile_image_url or "").replace("_normal.", "_400x400."),
        limits={**kept, "username": found.username, "subscription": found.subscription_type or "", "plan": plan},
    )


async def refresh(wire: Wire) -> SignedIn:
    """One pair for the next. Only X's word that the token is no good asks for a person."""
    login = wire.login
    token = login.credentials.get("refresh_token", "")
    if not token:
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK)
    if login.app is None:
        raise no_app()
    fields = {"grant_type": "refresh_token", "refresh_token": token}
    answer = await _ask(wire.http, wire.server, "token", login.app, fields)
    said = problem_in(answer)
    if answer.status == 400 and said.error in DEAD:
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK, answer=answer)
    if answer.status in (400, 401):
        raise Refused("{network} does not know the keys of your app: {reason}", reason=said.words, network=NETWORK)
    must_be_fine(answer)
    fresh = parsed(answer, Token)
    return SignedIn(
        credentials=credentials_of(fresh, answer),
        expires_at=_ends_at(fresh, answer),
        scopes=tuple(fresh.scope.split()),
    )


async def revoke(wire: Wire) -> None:
    """Ends the connection at X: the refresh token, and the access token made from it."""
    if wire.login.app is None:
        raise no_app()
    for kind in ("refresh_token", "access_token"):
        if token := wire.login.credentials.get(kind):
            fields = {"token": token, "token_type_hint": kind}
            answer = await _ask(wire.http, wire.server, "revoke", wire.login.app, fields)
            if answer.status not in (400, 401):  # dead already is what we want
                must_be_fine(answer)


async def app_token(wire: Wire) -> str:
    """The token of our app itself, with its API key and secret: only that may arrange webhooks."""
    app = wire.login.app
    if app is None or not app.extra.get("api_key") or not app.extra.get("api_secret"):
        raise Refused("Enter the API key and its secret beside the keys of your app at {network}.", network=NETWORK)
    keys = replace(app, client_id=app.extra["api_key"], client_secret=app.extra["api_secret"])
    pair = f"{quote(keys.client_id, safe='')}:{quote(keys.client_secret, safe='')}"
    answer = await read(
        wire.http,
        "POST",
        f"{wire.server}/oauth2/token",
        network=NETWORK,
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"},
    )
    if answer.status in (400, 401, 403):
        reason = problem_in(answer).words
        raise Refused(
            "{network} does not know the keys of your app: {reason}", reason=reason, network=NETWORK, answer=answer
        )
    must_be_fine(answer)
    return parsed(answer, Token).access_token
