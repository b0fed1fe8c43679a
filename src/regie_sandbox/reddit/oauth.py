"""The page a person sees, and tokens. Source: wiki page OAuth2 of github.com/reddit-archive/reddit; prawcore 4.0."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from regie_sandbox.reddit.app import LASTS
from regie_sandbox.reddit.call import as_json, must_name_itself
from regie_sandbox.reddit.rules import Problem
from regie_sandbox.reddit.state import App, Code

if TYPE_CHECKING:
    from regie_sandbox.reddit.app import Reddit

CODE_HOLDS = timedelta(minutes=10)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>*{{box-sizing:border-box}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem;background:#fff;color:#1c1c1c}}
input,button{{font:inherit;padding:.6rem 1rem;border-radius:1.2rem;border:1px solid #b33a00;width:100%;margin:.3rem 0}}
button{{background:#b33a00;color:#fff;cursor:pointer}}button.no{{background:none;color:#b33a00}}</style>
</head><body><main>{body}</main></body></html>"""
FORM = """<h1>Sandbox Reddit</h1>
<p><strong>{app}</strong> would like to use your account. This is for practice: no password is asked.</p>
<p>It wants: {scopes}.</p>
<form method="post" action="/api/v1/authorize">{hidden}
<label for="username">User name</label>
<input id="username" name="username" value="regie" autocomplete="username" required>
<button name="decision" value="allow">Allow</button>
<button class="no" name="decision" value="decline" formnovalidate>Decline</button></form>"""
ASKED = ("client_id", "response_type", "state", "redirect_uri", "duration", "scope")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(net: Reddit) -> list[web.RouteDef]:
    return [
        web.get("/api/v1/authorize", _page(net)),
        web.post("/api/v1/authorize", _decide(net)),
        web.post("/api/v1/access_token", _guarded(net, _token)),
        web.post("/api/v1/revoke_token", _guarded(net, _revoke)),
    ]


def _page(net: Reddit) -> Handler:
    async def page(request: web.Request) -> web.StreamResponse:
        app = _asking(net, request.query)
        if app is None:
            return web.Response(status=400, text="bad request (reddit.com)")
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(request.query.get(name, ""))}">' for name in ASKED
        )
        scopes = escape(request.query.get("scope", "").replace(" ", ", "))
        body = FORM.format(app=escape(app.name), scopes=scopes, hidden=hidden)
        return web.Response(text=PAGE.format(title="Allow", body=body), content_type="text/html")

    return page


def _decide(net: Reddit) -> Handler:
    async def decide(request: web.Request) -> web.StreamResponse:
        asked = {name: str(value) for name, value in (await request.post()).items()}
        app = _asking(net, asked)
        if app is None:
            return web.Response(status=400, text="bad request (reddit.com)")
        back = {"state": asked.get("state", "")}
        if asked.get("decision") != "allow":
            return _go(asked["redirect_uri"], {**back, "error": "access_denied"})
        code = secrets.token_urlsafe(22)
        declined = set(asked.get("declined", "").split())
        net.state.codes[code] = Code(
            app.id,
            net.person(asked.get("username") or "regie").name,
            asked["redirect_uri"],
            [one for one in asked.get("scope", "").replace(",", " ").split() if one not in declined],
            asked.get("duration") == "permanent",
            net.now() + CODE_HOLDS,
        )
        return _go(asked["redirect_uri"], {**back, "code": code}, end="#_")

    return decide


def _asking(net: Reddit, asked: Mapping[str, str]) -> App | None:
    app = net.state.apps.get(str(asked.get("client_id", "")))
    if app is None or not asked.get("redirect_uri") or asked.get("response_type") != "code":
        return None
    return app if app.redirect_uri in ("", asked["redirect_uri"]) else None


def _go(address: str, query: dict[str, str], *, end: str = "") -> web.Response:
    separator = "&" if "?" in address else "?"
    return web.Response(status=302, headers={"Location": f"{address}{separator}{urlencode(query)}{end}"})


def _guarded(net: Reddit, do: Callable[[Reddit, App, Mapping[str, str]], Any]) -> Handler:
    """For an app that says with HTTP Basic who it is."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            must_name_itself(request)
            app = _with_secret(net, request)
            fields = {name: str(value) for name, value in (await request.post()).items()}
            answer = do(net, app, fields)
        except Problem as problem:
            return as_json(problem.body, status=problem.status, headers=problem.headers)
        return web.Response(status=204) if answer is None else as_json(answer)

    return handler


def _with_secret(net: Reddit, request: web.Request) -> App:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    try:
        name, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name = secret = ""
    app = net.state.apps.get(name)
    if kind.lower() != "basic" or app is None or not hmac.compare_digest(app.secret.encode(), secret.encode()):
        raise Problem(401)
    return app


def _token(net: Reddit, app: App, fields: Mapping[str, str]) -> dict[str, Any]:
    match fields.get("grant_type"):
        case "authorization_code":
            code = net.state.codes.pop(fields.get("code", ""), None)
            fits = code is not None and code.app == app.id and code.until > net.now()
            if code is None or not fits or code.redirect_uri != fields.get("redirect_uri"):
                return {"error": "invalid_grant"}
            access, lasting = net.new_tokens(net.person(code.person), app, code.scopes, permanent=code.permanent)
            return _shown(access, lasting, code.scopes)
        case "refresh_token":
            held = net.state.lasting.get(fields.get("refresh_token", ""))
            if held is None or held.app != app.id:
                raise Problem(400)
            access = net.new_access(held.person, app.id, held.scopes, fields["refresh_token"])
            return _shown(access, fields["refresh_token"], held.scopes)
    return {"error": "unsupported_grant_type"}


def _shown(access: str, lasting: str, scopes: list[str]) -> dict[str, Any]:
    shown = {"access_token": access, "token_type": "bearer", "expires_in": int(LASTS.total_seconds())}
    return {**shown, **({"refresh_token": lasting} if lasting else {}), "scope": " ".join(scopes)}


def _revoke(net: Reddit, app: App, fields: Mapping[str, str]) -> None:
    """A refresh token takes its access tokens with it; what is not known is as good as revoked."""
    value, state = fields.get("token", ""), net.state
    if (token := state.tokens.get(value)) is not None and token.app == app.id:
        del state.tokens[value]
    if (held := state.lasting.get(value)) is not None and held.app == app.id:
        del state.lasting[value]
        state.tokens = {name: one for name, one in state.tokens.items() if one.of != value}
    state.ready = {name: pair for name, pair in state.ready.items() if pair[1] in state.lasting}
    net.world.changes += 1
