"""The sign-in page and tokens. Source: the vendor's page on authentication.

A token made at the Sandbox's host is good there alone. Refresh tokens are of the continuous kind: sixty days, traded.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from regie_sandbox.pinterest.state import App, Code, Token
from regie_sandbox.pinterest.wire import Json, Trouble, answered, guarded

if TYPE_CHECKING:
    from regie_sandbox.pinterest.app import Pinterest

CODE_HOLDS = timedelta(minutes=10)
ACCESS, REFRESH = timedelta(days=30), timedelta(days=60)
SCOPES = ("boards:read", "boards:write", "pins:read", "pins:write", "user_accounts:read")
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sandbox Pinterest</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>*{{box-sizing:border-box}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem;background:#fff;color:#111}}
input,button{{font:inherit;padding:.6rem 1rem;border-radius:1rem;border:1px solid #b60000;width:100%;margin:.3rem 0}}
button{{background:#b60000;color:#fff;cursor:pointer}}button.no{{background:none;color:#b60000}}</style>
</head><body><main>{body}</main></body></html>"""
FORM = """<h1>Sandbox Pinterest</h1>
<p><strong>{app}</strong> would like to use your account. This is for practice: no password is asked.</p>
<p>It wants: {scopes}.</p>
<form method="post">{hidden}
<label for="username">Account</label>
<input id="username" name="username" value="regie" autocomplete="username" required>
<button name="decision" value="allow">Give access</button>
<button class="no" name="decision" value="deny" formnovalidate>Cancel</button></form>"""
ASKED = ("client_id", "redirect_uri", "scope", "state", "response_type")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(net: Pinterest) -> list[web.RouteDef]:
    found: list[web.RouteDef] = []
    for prefix, trial in (("", False), ("/trial", True)):
        found += [
            web.get(f"{prefix}/oauth/", guarded(_page(net))),
            web.post(f"{prefix}/oauth/", guarded(_decide(net))),
            web.post(f"{prefix}/v5/oauth/token", guarded(_token(net, trial))),
            web.post(f"{prefix}/v5/oauth/token/revoke", guarded(_revoke(net))),
        ]
    return found


def _page(net: Pinterest) -> Handler:
    async def page(request: web.Request) -> web.StreamResponse:
        app = _asking(net, request.query)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(request.query.get(name, ""))}">' for name in ASKED
        )
        scopes = escape(", ".join(_scopes(request.query)))
        body = FORM.format(app=escape(app.name), scopes=scopes, hidden=hidden)
        return web.Response(text=PAGE.format(body=body), content_type="text/html")

    return page


def _decide(net: Pinterest) -> Handler:
    async def decide(request: web.Request) -> web.StreamResponse:
        asked = dict(await request.post())
        app = _asking(net, asked)
        back = {"state": str(asked["state"])} if asked.get("state") else {}
        if asked.get("decision") != "allow":
            return _go(str(asked["redirect_uri"]), {"error": "access_denied", **back})
        code = secrets.token_hex(20)
        declined = [one for one in str(asked.get("declined", "")).split(",") if one]
        net.state.codes[code] = Code(
            net.person(str(asked.get("username") or "regie")).id,
            app.id,
            str(asked["redirect_uri"]),
            [one for one in _scopes(asked) if one not in declined],
            net.now() + CODE_HOLDS,
        )
        return _go(str(asked["redirect_uri"]), {"code": code, **back})

    return decide


def _scopes(asked: Mapping[str, Any]) -> list[str]:
    return [one for one in str(asked.get("scope", "")).replace(",", " ").split() if one]


def _asking(net: Pinterest, asked: Mapping[str, Any]) -> App:
    app = net.state.apps.get(str(asked.get("client_id", "")))
    if app is None or asked.get("response_type") != "code":
        raise Trouble(400, 1, "Invalid client_id or response_type.")
    if app.redirect_uris and asked.get("redirect_uri") not in app.redirect_uris:
        raise Trouble(400, 1, "The redirect_uri is not registered for this app.")
    return app


def _token(net: Pinterest, trial: bool) -> Handler:
    async def token(request: web.Request) -> web.StreamResponse:
        app = _with_secret(net, request)
        asked = await request.post()
        match asked.get("grant_type"):
            case "authorization_code":
                code = net.state.codes.pop(str(asked.get("code", "")), None)
                fits = code is not None and code.app == app.id and code.until > net.now()
                if code is None or not fits or code.redirect_uri != asked.get("redirect_uri"):
                    raise Trouble(400, 283, "Invalid authorization code or redirect_uri.")
                return answered(pair(net, code.user, app, code.scopes, trial=trial, kind="authorization_code"))
            case "refresh_token":
                held = net.state.tokens.pop(str(asked.get("refresh_token", "")), None)
                fits = held is not None and held.refreshes and (held.app, held.trial) == (app.id, trial)
                if held is None or not fits or (held.until is not None and held.until <= net.now()):
                    raise Trouble(400, 283, "Invalid refresh token.")
                return answered(pair(net, held.user, app, held.scopes, trial=trial, kind="refresh_token"))
        raise Trouble(400, 1, "Unsupported grant_type.")

    return token


def _with_secret(net: Pinterest, request: web.Request) -> App:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    try:
        client_id, _, secret = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        client_id, secret = "", ""
    app = net.state.apps.get(client_id)
    if kind != "Basic" or app is None or not secrets.compare_digest(app.secret, secret):
        raise Trouble(401, 2, "Authentication failed.")
    return app


def pair(net: Pinterest, user: str, app: App, scopes: Sequence[str], *, trial: bool, kind: str) -> Json:
    access, refresh, now = f"pina_{secrets.token_urlsafe(40)}", f"pinr.{secrets.token_urlsafe(40)}", net.now()
    net.state.tokens[access] = Token(user, app.id, list(scopes), trial, now + ACCESS)
    net.state.tokens[refresh] = Token(user, app.id, list(scopes), trial, now + REFRESH, refreshes=True)
    return {
        "access_token": access,
        "refresh_token": refresh,
        "response_type": kind,
        "token_type": "bearer",
        "expires_in": int(ACCESS.total_seconds()),
        "refresh_token_expires_in": int(REFRESH.total_seconds()),
        "refresh_token_expires_at": int((now + REFRESH).timestamp()),
        "scope": " ".join(scopes),
    }


def _revoke(net: Pinterest) -> Handler:
    """For system users only, says the description: there are none here."""

    async def revoke(request: web.Request) -> web.StreamResponse:
        _with_secret(net, request)
        raise Trouble(403, 403, "Client is not allowed to revoke token.")

    return revoke


def _go(address: str, query: Mapping[str, str]) -> web.Response:
    separator = "&" if "?" in address else "?"
    return web.Response(status=302, headers={"Location": f"{address}{separator}{urlencode(query)}"})
