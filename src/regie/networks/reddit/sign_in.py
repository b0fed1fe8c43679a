"""Reddit's page and tokens: an app of the operator's, a refresh token that stays.

Source: wiki page OAuth2 of github.com/reddit-archive/reddit, and prawcore 4.0; neither knows PKCE.
"""

from __future__ import annotations

import base64
import secrets as dice
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp

from regie.networks.data import AppKeys, Login, Profile, SignedIn, SigningIn
from regie.networks.errors import Refused, SignInAgain
from regie.networks.line import Answer, read
from regie.networks.reddit.entities import Communities, Me, Token
from regie.networks.reddit.limits import NETWORK
from regie.networks.reddit.wire import PAGES, Wire, must_be_fine, pages_of, parsed, user_agent

SCOPES = (
    "identity",
    "read",
    "submit",
    "edit",
    "flair",
    "history",
    "mysubreddits",
    "privatemessages",
    "modposts",
    "modmail",
    "vote",
)
MISSING = {  # a permission -> what cannot be done without it
    "submit": "Nothing can be published: connect again and allow everything.",
    "read": "What was published cannot be looked at: connect again and allow everything.",
    "history": "A lost answer cannot be cleared up by itself: connect again and allow everything.",
    "edit": "Posts can be neither changed nor deleted: connect again and allow everything.",
    "flair": "No flair can be chosen: connect again and allow everything.",
    "privatemessages": "Comments and messages can be neither read nor answered: connect again and allow everything.",
    "vote": "Comments cannot be liked: connect again and allow everything.",
    "modposts": "Comments cannot be hidden in communities that the account moderates.",
    "modmail": "Messages to communities that the account moderates cannot be read.",
}


def no_app() -> Refused:
    return Refused(
        "{network} needs an app of your own there first: see Networks, then enter its keys.", network=NETWORK
    )


def start(server: str, *, app: AppKeys, redirect_uri: str) -> SigningIn:
    """``duration=permanent``: only then is there a refresh token."""
    state = dice.token_urlsafe(24)
    query = {
        "client_id": app.client_id,
        "response_type": "code",
        "state": state,
        "redirect_uri": redirect_uri,
        "duration": "permanent",
        "scope": " ".join(SCOPES),
    }
    return SigningIn(url=f"{pages_of(server)}/api/v1/authorize?{urlencode(query)}", state=state, secrets={})


async def finish(
    http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, query: Mapping[str, str]
) -> SignedIn:
    if query.get("error") == "access_denied":
        raise Refused("You did not allow the connection on the {network} page.", network=NETWORK)
    if not query.get("code"):
        raise Refused("{network} said: {reason}", network=NETWORK, reason=query.get("error") or "no code came back")
    fields = {
        "grant_type": "authorization_code",
        "code": query["code"].removesuffix("#_"),
        "redirect_uri": redirect_uri,
    }
    answer = await _token(http, server, app, "access_token", fields)
    if answer.status == 400 or (answer.status == 200 and b'"error"' in answer.body):
        raise Refused(
            "The sign-in ran out or was used already ({reason}); start again.", reason=_reason(answer), answer=answer
        )
    if answer.status == 401:
        raise Refused("{network} does not know the app's keys: see Networks.", network=NETWORK, answer=answer)
    must_be_fine(answer)
    token = parsed(answer, Token)
    signed_in = _signed_in(token)
    scopes = signed_in.scopes or SCOPES
    limits = {"scopes": list(scopes), "missing": missing(scopes)}
    login = Login(server=server, credentials=signed_in.credentials, app=app, limits=limits)
    profile = await whoami(Wire(http, login))
    return SignedIn(
        credentials=signed_in.credentials, profiles=(profile,), expires_at=signed_in.expires_at, scopes=scopes
    )


def _signed_in(token: Token) -> SignedIn:
    renewing = {"refresh_token": token.refresh_token} if token.refresh_token else {}
    scopes = tuple(token.scope.replace(",", " ").split())
    return SignedIn(
        credentials={"access_token": token.access_token, **renewing},
        expires_at=datetime.now(UTC) + timedelta(seconds=token.expires_in),
        scopes=SCOPES if "*" in scopes else scopes,
    )


def _reason(answer: Answer) -> str:
    try:
        said = answer.json()
    except ValueError:
        return f"status {answer.status}"
    return str(said.get("error") or said.get("message") or "") if isinstance(said, dict) else f"status {answer.status}"


def missing(scopes: Sequence[str]) -> list[str]:
    """What cannot be done, in words."""
    return [said for scope, said in MISSING.items() if scope not in scopes]


async def _token(
    http: aiohttp.ClientSession, server: str, app: AppKeys, what: str, fields: Mapping[str, str]
) -> Answer:
    """The app says who it is with HTTP Basic. Repeating any of these harms nobody."""
    keys = base64.b64encode(f"{app.client_id}:{app.client_secret}".encode()).decode()
    return await read(
        http,
        "POST",
        f"{pages_of(server)}/api/v1/{what}",
        network=NETWORK,
        data=dict(fields),
        headers={"User-Agent": user_agent(), "Authorization": f"Basic {keys}"},
    )


async def refresh(wire: Wire) -> SignedIn:
    """A fresh access token; the refresh token stays good until somebody takes it back."""
    app, token = wire.login.app, wire.login.credentials.get("refresh_token", "")
    if app is None:
        raise Refused("The registration that this account was connected with is missing.")
    fields = {"grant_type": "refresh_token", "refresh_token": token}
    answer = await _token(wire.http, wire.login.server, app, "access_token", fields)
    if not token or answer.status == 400 or (answer.status == 200 and b'"error"' in answer.body):
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK, answer=answer)
    if answer.status == 401:
        raise Refused("{network} does not know the app's keys: see Networks.", network=NETWORK, answer=answer)
    must_be_fine(answer)
    return _signed_in(parsed(answer, Token))


async def revoke(wire: Wire) -> None:
    """Taking back the refresh token takes back its access tokens too."""
    app = wire.login.app
    if app is None:
        raise Refused("The registration that this account was connected with is missing.")
    kind = "refresh_token" if wire.login.credentials.get("refresh_token") else "access_token"
    fields = {"token": wire.login.credentials.get(kind, ""), "token_type_hint": kind}
    must_be_fine(await _token(wire.http, wire.login.server, app, "revoke_token", fields))


async def whoami(wire: Wire) -> Profile:
    me = await wire.me()
    limits: dict[str, Any] = {
        name: wire.login.limits[name] for name in ("scopes", "missing", "moderates") if name in wire.login.limits
    }
    with suppress(Refused):  # without the permission for it: as it was known
        limits["moderates"] = await _moderated(wire)
    return profile_of(me, server=wire.login.server, limits={**limits, "username": me.name})


async def _moderated(wire: Wire) -> list[str]:
    """The communities that the account moderates, at most a hundred of them."""
    answer = await wire.get("/subreddits/mine/moderator", {"limit": "100"})
    return sorted(child.data.display_name for child in parsed(answer, Communities).data.children)


def profile_of(me: Me, *, server: str, limits: Mapping[str, Any]) -> Profile:
    return Profile(
        remote_id=f"t2_{me.id}",
        name=(me.subreddit.title if me.subreddit is not None else "") or me.name,
        handle=f"u/{me.name}",
        server=server,
        url=f"{PAGES}/user/{me.name}",
        avatar_url=(me.icon_img or "").replace("&amp;", "&"),
        limits=limits,
    )
