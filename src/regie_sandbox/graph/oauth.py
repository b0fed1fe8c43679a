"""The two sign-in pages (Facebook's dialog, Instagram's own), and tokens. Sources: the notes of each connector."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from regie_sandbox.graph.state import App, Code
from regie_sandbox.graph.wire import Trouble, answered, params_of

if TYPE_CHECKING:
    from regie_sandbox.graph.base import GraphNetwork

CODE_HOLDS = timedelta(hours=1)
OLD_ENOUGH = timedelta(hours=24)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>*{{box-sizing:border-box}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem}}
body{{background:#f0f2f5;color:#1c1e21}}
input,button{{font:inherit;padding:.6rem 1rem;border-radius:.4rem;border:1px solid #0a58ca;width:100%;margin:.3rem 0}}
button{{background:#0a58ca;color:#fff;cursor:pointer}}button.no{{background:none;color:#0a58ca}}</style>
</head><body><main>{body}</main></body></html>"""
FORM = """<h1>Sandbox {where}</h1>
<p><strong>{app}</strong> would like to manage your account. This is for practice: no password is asked.</p>
<p>It wants: {scopes}.</p>
<form method="post" action="{action}">{hidden}
<label for="username">Account</label>
<input id="username" name="username" value="regie" autocomplete="username" required>
<button name="decision" value="allow">Allow</button>
<button class="no" name="decision" value="deny" formnovalidate>Not now</button></form>"""
ASKED = ("client_id", "redirect_uri", "scope", "state", "response_type")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def routes(net: GraphNetwork) -> list[web.RouteDef]:
    """``/facebook`` stands for the hosts of Facebook's login where a network has both."""
    found: list[web.RouteDef] = []
    for prefix in ("", "/facebook"):
        found += [
            web.get(f"{prefix}/{{version:v[0-9.]+}}/dialog/oauth", _page(net, "facebook")),
            web.post(f"{prefix}/{{version:v[0-9.]+}}/dialog/oauth", _decide(net, "facebook")),
            web.get(f"{prefix}/{{version:v[0-9.]+}}/oauth/access_token", _graph_token(net)),
            web.post(f"{prefix}/{{version:v[0-9.]+}}/oauth/access_token", _graph_token(net)),
        ]
    return [*found, *own(net, "instagram", "ig")]


def own(net: GraphNetwork, way: str, grant: str) -> list[web.RouteDef]:
    """A network's own login beside Facebook's. ``grant``: how its grants begin."""
    return [
        web.get("/oauth/authorize", _page(net, way)),
        web.post("/oauth/authorize", _decide(net, way)),
        web.post("/oauth/access_token", _own_token(net, way)),
        web.get("/access_token", _own_long(net, way, grant)),
        web.get("/refresh_access_token", _own_refresh(net, way, grant)),
    ]


def _guarded(do: Callable[[web.Request], Awaitable[Any]]) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            found = await do(request)
        except Trouble as trouble:
            return answered(trouble.body, status=trouble.status)
        return found if isinstance(found, web.StreamResponse) else answered(found)

    return handler


def _page(net: GraphNetwork, way: str) -> Handler:
    async def page(request: web.Request) -> web.StreamResponse:
        app = _asking(net, request.query)
        scopes = request.query.get("scope", "")
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(request.query.get(name, ""))}">' for name in ASKED
        )
        body = FORM.format(
            where=way.capitalize(),
            app=escape(app.name),
            scopes=escape(scopes.replace(",", ", ")),
            hidden=hidden,
            action=escape(request.path),
        )
        return web.Response(text=PAGE.format(title="Allow", body=body), content_type="text/html")

    return _guarded(page)


def _decide(net: GraphNetwork, way: str) -> Handler:
    async def decide(request: web.Request) -> web.StreamResponse:
        asked = await params_of(request)
        app = _asking(net, asked)
        back = {"state": asked["state"]} if asked.get("state") else {}
        if asked.get("decision") != "allow":
            said = {"error": "access_denied", "error_reason": "user_denied", "error_description": "Permissions error"}
            return _go(asked["redirect_uri"], {**said, **back})
        code = f"AQ{secrets.token_urlsafe(40)}"
        holder = net.signing_in(way, str(asked.get("username") or "regie"))
        scopes = [one for one in str(asked.get("scope", "")).replace(" ", ",").split(",") if one]
        declined = [one for one in str(asked.get("declined", "")).split(",") if one]
        net.state.codes[code] = Code(
            holder,
            app.id,
            way,
            asked["redirect_uri"],
            [one for one in scopes if one not in declined],
            net.now() + CODE_HOLDS,
        )
        return _go(asked["redirect_uri"], {"code": code, **back}, end="" if way == "facebook" else "#_")

    return _guarded(decide)


def _asking(net: GraphNetwork, asked: Mapping[str, Any]) -> App:
    app = net.state.apps.get(str(asked.get("client_id", "")))
    if app is None:
        raise Trouble("Invalid platform app", 101, status=400)
    if app.redirect_uris and asked.get("redirect_uri") not in app.redirect_uris:
        raise Trouble("Invalid redirect_uri", 191, status=400)
    return app


def _with_secret(net: GraphNetwork, asked: Mapping[str, Any]) -> App:
    app = net.state.apps.get(str(asked.get("client_id", "")))
    if app is None or not hmac.compare_digest(app.secret, str(asked.get("client_secret", ""))):
        raise Trouble("Error validating client secret.", 1, status=400)
    return app


def _code(net: GraphNetwork, asked: Mapping[str, Any], app: App, way: str) -> Code:
    code = net.state.codes.pop(str(asked.get("code", "")), None)
    fits = code is not None and code.until > net.now() and (code.app, code.way) == (app.id, way)
    if code is None or not fits or code.redirect_uri != asked.get("redirect_uri"):
        raise Trouble("This authorization code has been used or has expired.", 100, 36009)
    return code


def _graph_token(net: GraphNetwork) -> Handler:
    async def token(request: web.Request) -> Any:
        asked = await params_of(request)
        app = _with_secret(net, asked)
        match asked.get("grant_type"):
            case "client_credentials":
                return {"access_token": f"{app.id}|{app.secret}", "token_type": "bearer"}
            case "fb_exchange_token":
                held = net.state.tokens.get(str(asked.get("fb_exchange_token", "")))
                if held is None or held.way != "facebook":
                    raise Trouble("Invalid OAuth access token.", 190, status=400)
                value = net.make_token(held.holder, app, "facebook", held.scopes)
                return {"access_token": value, "token_type": "bearer", "expires_in": 5_184_000}
        code = _code(net, asked, app, "facebook")
        value = net.make_token(code.holder, app, "facebook", code.scopes, lasts=timedelta(hours=1))
        return {"access_token": value, "token_type": "bearer", "expires_in": 3600}

    return _guarded(token)


def _own_token(net: GraphNetwork, way: str) -> Handler:
    async def token(request: web.Request) -> Any:
        asked = await params_of(request)
        app = _with_secret(net, asked)
        code = _code(net, asked, app, way)
        value = net.make_token(code.holder, app, way, code.scopes, lasts=timedelta(hours=1))
        short = {"access_token": value, "user_id": code.holder}
        return {"data": [{**short, "permissions": ",".join(code.scopes)}]} if way == "instagram" else short

    return _guarded(token)


def _own_long(net: GraphNetwork, way: str, grant: str) -> Handler:
    async def long(request: web.Request) -> Any:
        asked = request.query
        app = next((app for app in net.state.apps.values() if app.secret == asked.get("client_secret")), None)
        held = net.state.tokens.get(asked.get("access_token", ""))
        if app is None or held is None or held.way != way or asked.get("grant_type") != f"{grant}_exchange_token":
            raise Trouble("Invalid OAuth access token.", 190, status=400)
        value = net.make_token(held.holder, app, way, held.scopes)
        return {"access_token": value, "token_type": "bearer", "expires_in": 5_184_000}

    return _guarded(long)


def _own_refresh(net: GraphNetwork, way: str, grant: str) -> Handler:
    async def refresh(request: web.Request) -> Any:
        held = net.state.tokens.get(request.query.get("access_token", ""))
        if request.query.get("grant_type") != f"{grant}_refresh_token":
            raise Trouble("Invalid grant_type", 100, status=400)
        if held is None or held.way != way or not held.until or held.until <= net.now():
            raise Trouble("Error validating access token: Session has expired.", 190, 463, status=400)
        if not held.long or held.made_at > net.now() - OLD_ENOUGH:
            raise Trouble("The access token must be at least 24 hours old.", 100, status=400)
        value = net.make_token(held.holder, net.state.apps[held.app], way, held.scopes)
        return {
            "access_token": value,
            "token_type": "bearer",
            "expires_in": 5_184_000,
            "permissions": ",".join(held.scopes),
        }

    return _guarded(refresh)


def _go(address: str, query: dict[str, str], *, end: str = "") -> web.Response:
    separator = "&" if "?" in address else "?"
    return web.Response(status=302, headers={"Location": f"{address}{separator}{urlencode(query)}{end}"})
