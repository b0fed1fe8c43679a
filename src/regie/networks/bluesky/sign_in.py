"""Connecting an account: with an app password, or on its own server's page (OAuth with PAR, PKCE and DPoP).

Sources: atproto.com/specs/oauth, lexicons com.atproto.server; tried on PDS 0.4.217.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets as dice
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import aiohttp

from regie.networks.bluesky import chat, dpop
from regie.networks.bluesky.models import (
    Actor,
    DidDoc,
    Pushed,
    Resolved,
    ResourceMetadata,
    ServerMetadata,
    Session,
    Tokens,
    WhoIsThere,
)
from regie.networks.bluesky.wire import NETWORK, Xrpc, accepted, error_name, parsed, problem_in
from regie.networks.data import AppKeys, Login, Profile, SignedIn, SigningIn
from regie.networks.errors import Refused, SignInAgain, TryLater
from regie.networks.line import Answer, read

SCOPE = "atproto transition:generic transition:chat.bsky"
CLIENT_METADATA_PATH = "/oauth/bluesky/client-metadata.json"
"""Where the product serves ``client_metadata`` on its public address: the address is our client id."""
LOOPBACK_HOSTS = ("127.0.0.1", "::1")
ASSERTION_LASTS = 60  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Base addresses besides the account's own server: settings, so that a test network can stand in.

    plc: the directory of did:plc identities; web: where people read posts; video: the service that prepares videos
    """

    plc: str = "https://plc.directory"
    web: str = "https://bsky.app"
    video: str = "https://video.bsky.app"


# App passwords


async def with_password(
    http: aiohttp.ClientSession, *, server: str, fields: Mapping[str, str], addresses: Addresses, home: str
) -> SignedIn:
    """``fields``: ``handle`` (or e-mail address) and ``password`` (an app password).

    Someone who names no server is looked for on ``home``; when that does not know them, on the server their handle
    leads to. Raises Refused with a sentence for the form.
    """
    handle, password = fields.get("handle", "").strip().removeprefix("@"), fields.get("password", "")
    if not handle or not password:
        raise Refused("Give the handle and an app password.")
    try:
        session = await _create_session(http, server, handle, password)
    except SignInAgain:
        own = await _own_server(http, server, handle, addresses) if server == home else server
        if own in ("", server):
            raise _wrong_password() from None
        try:
            session = await _create_session(http, own, handle, password)
        except SignInAgain:
            raise _wrong_password() from None
        server = own
    return await _signed_in(http, session, server=server, addresses=addresses)


def _wrong_password() -> Refused:
    return Refused(
        "{network} does not know this handle with this app password. App passwords are made in Settings, "
        "Privacy and security, App passwords.",
        network=NETWORK,
    )


async def _create_session(http: aiohttp.ClientSession, server: str, handle: str, password: str) -> Session:
    answer = await read(
        http,
        "POST",
        f"{server}/xrpc/com.atproto.server.createSession",
        network=NETWORK,
        json={"identifier": handle, "password": password},
    )
    problem = problem_in(answer) if answer.status == 401 else None
    if problem is not None and problem.error == "AuthFactorTokenRequired":
        raise Refused(
            "{network} asks for a code sent by e-mail: use an app password instead of your own.",
            network=NETWORK,
            answer=answer,
        )
    return parsed(Session, accepted(answer))


async def _own_server(http: aiohttp.ClientSession, server: str, handle: str, addresses: Addresses) -> str:
    """The server a handle leads to; "" when it leads nowhere."""
    try:
        return (await identity(http, server=server, name=handle, addresses=addresses)).pds
    except (Refused, TryLater):
        return ""


async def refresh_session(xrpc: Xrpc, *, addresses: Addresses) -> SignedIn:
    """A fresh pair of tokens. The old pair goes on working for a moment, so a lost answer can be asked for again."""
    login = xrpc.login
    answer = await read(
        xrpc.http,
        "POST",
        f"{login.server}/xrpc/com.atproto.server.refreshSession",
        network=NETWORK,
        headers={"Authorization": f"Bearer {login.credentials.get('refresh', '')}"},
    )
    problem = problem_in(answer)
    if answer.status in (400, 401) and problem is not None and problem.error != "InvalidRequest":
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK, answer=answer)
    return await _signed_in(xrpc.http, parsed(Session, accepted(answer)), server=login.server, addresses=addresses)


async def delete_session(xrpc: Xrpc) -> None:
    answer = await read(
        xrpc.http,
        "POST",
        f"{xrpc.login.server}/xrpc/com.atproto.server.deleteSession",
        network=NETWORK,
        headers={"Authorization": f"Bearer {xrpc.login.credentials.get('refresh', '')}"},
    )
    problem = problem_in(answer)
    if problem is None or problem.error not in ("ExpiredToken", "InvalidToken"):  # dead already is what we want
        accepted(answer)


async def _signed_in(http: aiohttp.ClientSession, session: Session, *, server: str, addresses: Addresses) -> SignedIn:
    if not session.active:
        raise SignInAgain("{network} has closed this account, or its owner has.", network=NETWORK)
    own = (session.did_doc.pds if session.did_doc else "") or server
    credentials = {"did": session.did, "access": session.access, "refresh": session.refresh}
    login = Login(server=own, remote_id=session.did, credentials=credentials)
    return SignedIn(
        credentials=credentials,
        profiles=(await profile(Xrpc(http, login), handle=session.handle, addresses=addresses),),
        expires_at=_end_of(session.access),
    )


def _end_of(token: str) -> datetime | None:
    """When a session token says that it ends: we only plan by it, its server judges."""
    try:
        claims = token.split(".")[1]
        return datetime.fromtimestamp(json.loads(base64.urlsafe_b64decode(claims + "==="))["exp"], UTC)
    except (IndexError, ValueError, KeyError, TypeError):
        return None


async def whoami(xrpc: Xrpc, *, addresses: Addresses) -> Profile:
    """Raises SignInAgain or TokenExpired when the token is no longer good, also where no AppView answers."""
    there = parsed(WhoIsThere, await xrpc.query("com.atproto.server.getSession"))
    if not there.active:
        raise SignInAgain("{network} has closed this account, or its owner has.", network=NETWORK)
    return await profile(xrpc, handle=there.handle, addresses=addresses)


async def profile(xrpc: Xrpc, *, handle: str, addresses: Addresses) -> Profile:
    """Name and picture come from the AppView; without one, the handle has to do."""
    name, avatar = handle, ""
    try:
        actor = parsed(Actor, await xrpc.query("app.bsky.actor.getProfile", {"actor": xrpc.did}))
        name, avatar, handle = actor.display_name or actor.handle, actor.avatar, actor.handle
    except (TryLater, Refused):
        pass
    talks = await chat.reachable(xrpc, before=bool(xrpc.login.limits.get("chat", True)))
    return Profile(
        remote_id=xrpc.did,
        name=name,
        handle=handle,
        server=xrpc.login.server,
        url=f"{addresses.web}/profile/{xrpc.did}",
        avatar_url=avatar,
        limits={"chat": talks, "missing": [] if talks else [chat.NO_MESSAGES]},
    )


# Who is who


async def identity(http: aiohttp.ClientSession, *, server: str, name: str, addresses: Addresses) -> DidDoc:
    """The identity document behind a handle or a DID. Source: atproto.com/specs/did, /handle."""
    did = name
    if not name.startswith("did:"):
        answer = await read(
            http,
            "GET",
            f"{server}/xrpc/com.atproto.identity.resolveHandle",
            network=NETWORK,
            params={"handle": name},
        )
        if answer.status == 400:
            raise Refused("{network} knows nobody called {name}.", network=NETWORK, name=name, answer=answer)
        did = parsed(Resolved, accepted(answer)).did
    if did.startswith("did:plc:"):
        url = f"{addresses.plc}/{did}"
    elif did.startswith("did:web:") and ":" not in did.removeprefix("did:web:"):
        url = f"https://{did.removeprefix('did:web:')}/.well-known/did.json"
    else:
        raise Refused("{network} has no identity of this kind.", network=NETWORK)
    answer = await read(http, "GET", url, network=NETWORK)
    if answer.status in (404, 410):
        raise Refused("{network} knows nobody called {name}.", network=NETWORK, name=name, answer=answer)
    document = parsed(DidDoc, accepted(answer))
    if document.id != did or not document.pds:
        raise Refused("{name} has no server that we can find.", name=name, answer=answer)
    return document


async def authorization_server(http: aiohttp.ClientSession, pds: str) -> ServerMetadata:
    """The server that gives out tokens for ``pds``, or ``pds`` itself when it is that one (bsky.social)."""
    answer = await read(http, "GET", f"{pds}/.well-known/oauth-protected-resource", network=NETWORK)
    servers = parsed(ResourceMetadata, answer).servers if answer.status == 200 else ()
    issuer = (servers[0] if servers else pds).rstrip("/")
    answer = await read(http, "GET", f"{issuer}/.well-known/oauth-authorization-server", network=NETWORK)
    if answer.status != 200:
        raise Refused(
            "{server} offers no sign-in page: use an app password.", server=urlsplit(pds).netloc, answer=answer
        )
    metadata = parsed(ServerMetadata, answer)
    if metadata.issuer.rstrip("/") != issuer:
        raise Refused("{server} names another server as its own.", server=urlsplit(pds).netloc, answer=answer)
    return metadata


# OAuth


def register(*, redirect_uri: str, website: str) -> AppKeys:
    """Our client id, derived: no registration is needed.

    With a public https address it is the address of our metadata document, and we sign as ourselves (sessions last
    two years). On http://127.0.0.1 it is the loopback client of the specification (sessions last two weeks).
    """
    address = urlsplit(redirect_uri)
    if address.scheme == "http" and address.hostname in LOOPBACK_HOSTS:
        client_id = "http://localhost?" + urlencode({"redirect_uri": redirect_uri, "scope": SCOPE}, quote_via=quote)
        return AppKeys(client_id=client_id, extra={"redirect_uri": redirect_uri})
    if address.scheme != "https":
        raise Refused(
            "{network} signs people in only from https://... or from http://127.0.0.1: open this page at "
            "one of those, or use an app password.",
            network=NETWORK,
        )
    return AppKeys(
        client_id=website.rstrip("/") + CLIENT_METADATA_PATH,
        client_secret=dpop.new_key(),
        extra={"redirect_uri": redirect_uri, "website": website},
    )


def client_metadata(app: AppKeys, *others: AppKeys, name: str = "Régie") -> dict[str, Any]:
    """The document to serve, without sign-in and as JSON, at CLIENT_METADATA_PATH. Holds public keys only.

    others: further registrations of this installation, made for other servers: they share the address, and each server
    must find the key that signs for it.
    """
    keys = [dpop.public_jwk(one.client_secret) for one in (app, *others)]
    return {
        "client_id": app.client_id,
        "client_name": name,
        "client_uri": app.extra["website"],
        "application_type": "web",
        "redirect_uris": list(dict.fromkeys(one.extra["redirect_uri"] for one in (app, *others))),
        "scope": SCOPE,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "dpop_bound_access_tokens": True,
        "jwks": {"keys": [{**key, "kid": dpop.thumbprint(key), "use": "sig", "alg": "ES256"} for key in keys]},
    }


async def start(
    http: aiohttp.ClientSession, *, server: str, app: AppKeys, redirect_uri: str, hint: str, addresses: Addresses
) -> SigningIn:
    """``hint``: a handle or DID, which may live on any server; without it, the page of ``server``."""
    name = hint.strip().removeprefix("@")
    pds = (await identity(http, server=server, name=name, addresses=addresses)).pds if name else server
    there = await authorization_server(http, pds)
    state, verifier, key = dice.token_urlsafe(24), dice.token_urlsafe(48), dpop.new_key()
    challenge = dpop.b64(hashlib.sha256(verifier.encode()).digest())
    form = {
        "response_type": "code",
        "redirect_uri": redirect_uri,
        "scope": _scope_of(app),
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({"login_hint": name} if name else {}),
    }
    answer = await _asked(http, there.par_endpoint, app, there.issuer, key, form)
    if answer.status not in (200, 201):
        raise _said_no(answer)
    request_uri = parsed(Pushed, answer).request_uri
    return SigningIn(
        url=f"{there.authorization_endpoint}?{urlencode({'client_id': app.client_id, 'request_uri': request_uri})}",
        state=state,
        secrets={"verifier": verifier, "dpop_key": key, "issuer": there.issuer, "token_endpoint": there.token_endpoint},
    )


async def finish(
    http: aiohttp.ClientSession,
    *,
    server: str,
    app: AppKeys,
    redirect_uri: str,
    query: Mapping[str, str],
    secrets: Mapping[str, str],
    addresses: Addresses,
) -> SignedIn:
    """Trades the code, then makes sure that this server may speak for the account it names."""
    if query.get("error") == "access_denied":
        raise Refused("Access was not granted on {network}'s page.", network=NETWORK)
    if "error" in query:
        reason = query.get("error_description") or query["error"]
        raise Refused("{network} did not connect the account: {reason}", network=NETWORK, reason=reason)
    if query.get("iss", "").rstrip("/") != secrets["issuer"].rstrip("/") or not query.get("code"):
        raise Refused("{network} sent back something else than was asked for: start again.", network=NETWORK)
    form = {
        "grant_type": "authorization_code",
        "code": query["code"],
        "redirect_uri": redirect_uri,
        "code_verifier": secrets["verifier"],
    }
    answer = await _asked(http, secrets["token_endpoint"], app, secrets["issuer"], secrets["dpop_key"], form)
    if answer.status != 200:
        raise _said_no(answer)
    tokens = parsed(Tokens, answer)
    document = await identity(http, server=server, name=tokens.sub, addresses=addresses)
    there = await authorization_server(http, document.pds)
    if there.issuer.rstrip("/") != secrets["issuer"].rstrip("/"):
        raise Refused("This server may not speak for that account.")
    credentials = {
        "did": tokens.sub,
        "dpop_key": secrets["dpop_key"],
        "issuer": there.issuer,
        "token_endpoint": there.token_endpoint,
        "revocation_endpoint": there.revocation_endpoint,
    }
    fresh = _with_tokens(credentials, tokens, answer)
    login = Login(server=document.pds, remote_id=tokens.sub, credentials=fresh.credentials, app=app)
    return replace(fresh, profiles=(await profile(Xrpc(http, login), handle=document.handle, addresses=addresses),))


def _scope_of(app: AppKeys) -> str:
    """A program on this computer names its scope in its id, for ever: one made earlier has less of it."""
    known = parse_qs(urlsplit(app.client_id).query).get("scope", ()) if app.client_id.startswith("http://") else ()
    return known[0] if known else SCOPE


def _with_tokens(credentials: Mapping[str, str], tokens: Tokens, answer: Answer) -> SignedIn:
    if tokens.token_type.lower() != "dpop" or "atproto" not in tokens.scope.split():
        raise Refused("{network} gave a token of another kind than was asked for.", network=NETWORK)
    now = answer.now
    return SignedIn(
        credentials={**credentials, "access": tokens.access, "refresh": tokens.refresh},
        expires_at=now + timedelta(seconds=tokens.lasts) if tokens.lasts is not None else None,
        scopes=tuple(tokens.scope.split()),
    )


async def refresh_tokens(xrpc: Xrpc) -> SignedIn:
    """A fresh pair; the old refresh token is dead as soon as the server has given it out."""
    credentials = xrpc.login.credentials
    answer = await _asked(
        xrpc.http,
        credentials["token_endpoint"],
        _app_of(xrpc.login),
        credentials["issuer"],
        credentials["dpop_key"],
        {"grant_type": "refresh_token", "refresh_token": credentials["refresh"]},
    )
    if answer.status != 200:
        problem = problem_in(answer)
        if problem is not None and problem.error == "invalid_grant":
            raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK, answer=answer)
        raise _said_no(answer)
    tokens = parsed(Tokens, answer)
    if tokens.sub != xrpc.did:
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK)
    return _with_tokens(credentials, tokens, answer)


async def revoke_tokens(xrpc: Xrpc) -> None:
    """Ends the session at its server. A token that is dead already counts as done."""
    credentials = xrpc.login.credentials
    if endpoint := credentials.get("revocation_endpoint"):
        answer = await _asked(
            xrpc.http,
            endpoint,
            _app_of(xrpc.login),
            credentials["issuer"],
            credentials["dpop_key"],
            {"token": credentials.get("refresh") or credentials["access"]},
        )
        if answer.status >= 300 and error_name(_said_no(answer)) not in ("invalid_grant", "invalid_token"):
            raise _said_no(answer)


def _app_of(login: Login) -> AppKeys:
    if login.app is None:
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK)
    return login.app


async def _asked(
    http: aiohttp.ClientSession, url: str, app: AppKeys, issuer: str, key: str, form: Mapping[str, str]
) -> Answer:
    """One form to an authorization server, with proof of our key; again with its nonce when it only wanted that."""
    answer = await _ask_once(http, url, app, issuer, key, form)
    if dpop.wants_nonce(answer):
        answer = await _ask_once(http, url, app, issuer, key, form)
    return answer


async def _ask_once(
    http: aiohttp.ClientSession, url: str, app: AppKeys, issuer: str, key: str, form: Mapping[str, str]
) -> Answer:
    data = {"client_id": app.client_id, **form}
    if app.client_secret:
        data |= {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": _assertion(app, issuer),
        }
    answer = await read(http, "POST", url, network=NETWORK, data=data, headers={"DPoP": dpop.proof(key, "POST", url)})
    dpop.remember_nonce(url, answer)
    return answer


def _assertion(app: AppKeys, issuer: str) -> str:
    """RFC 7523: that it is us who ask, signed with the key of our metadata document."""
    now = int(time.time())
    header = {"alg": "ES256", "kid": dpop.thumbprint(dpop.public_jwk(app.client_secret))}
    claims = {
        "iss": app.client_id,
        "sub": app.client_id,
        "aud": issuer,
        "jti": uuid.uuid4().hex,
        "iat": now,
        "exp": now + ASSERTION_LASTS,
    }
    return dpop.signed(app.client_secret, header, claims)


def _said_no(answer: Answer) -> Refused:
    problem = problem_in(answer)
    if problem is None:
        return Refused(
            "This address is not a {network} server: it answered something else ({status}).",
            network=NETWORK,
            status=answer.status,
            answer=answer,
        )
    return Refused("{network} said: {reason}", network=NETWORK, reason=problem.sentence, answer=answer)
