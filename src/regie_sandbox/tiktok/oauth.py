"""Login Kit's page and tokens. Source: pages Login Kit for Web, OAuth, Error Handling."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from regie_sandbox.tiktok.state import App, Code, Token
from regie_sandbox.tiktok.wire import Handler, OAuthTrouble, answered

if TYPE_CHECKING:
    from regie_sandbox.tiktok.app import TikTok

BY_BUSINESS = (
    "user.info.basic", "user.info.username", "user.info.stats", "user.info.profile", "user.insights", "video.list",
    "video.insights", "video.publish", "video.upload", "comment.list", "comment.list.manage",
)  # fmt: skip
SCOPES = ("user.info.basic", "user.info.profile", "user.info.stats", "video.list", "video.publish", "video.upload")
CODE_HOLDS = timedelta(minutes=10)
ACCESS, REFRESH = timedelta(hours=24), timedelta(days=365)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Allow</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>*{{box-sizing:border-box}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem}}
body{{background:#f8f8f8;color:#161823}}
input,button{{font:inherit;padding:.6rem 1rem;border-radius:.3rem;border:1px solid #c9184a;width:100%;margin:.3rem 0}}
button{{background:#c9184a;color:#fff;cursor:pointer}}button.no{{background:none;color:#161823}}</style>
</head><body><main><h1>Sandbox TikTok</h1>
<p><strong>{app}</strong> would like to access your account. This is for practice: no password is asked.</p>
<p>It wants: {scopes}.</p>
<form method="post" action="{action}">{hidden}
<label for="username">Account</label>
<input id="username" name="username" value="regie" autocomplete="username" required>
<button name="decision" value="allow">Continue</button>
<button class="no" name="decision" value="deny" formnovalidate>Cancel</button></form></main></body></html>"""
ASKED = ("client_key", "response_type", "scope", "redirect_uri", "state")


def routes(net: TikTok) -> list[web.RouteDef]:
    return [
        web.get("/v2/auth/authorize/", _guarded(net, _page)),
        web.post("/v2/auth/authorize/", _guarded(net, _decide)),
        web.get("/business/v2/auth/authorize/", _guarded(net, _page)),
        web.post("/business/v2/auth/authorize/", _guarded(net, _decide)),
        web.post("/v2/oauth/token/", _guarded(net, _token)),
        web.post("/v2/oauth/revoke/", _guarded(net, _revoke)),
    ]


def _guarded(net: TikTok, do: Callable[[TikTok, web.Request], Awaitable[Any]]) -> Handler:
    """TikTok says no with status 400 and a body of its own."""

    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            found = await do(net, request)
        except OAuthTrouble as trouble:
            return answered(trouble.body, status=400)
        return found if isinstance(found, web.StreamResponse) else answered(found)

    return handler


def way_of(request: web.Request) -> str:
    """The page of the API for business accounts stands below ``/business`` here; at TikTok it is the same one."""
    return "business" if request.path.startswith("/business/") else "open"


def _asking(net: TikTok, asked: Mapping[str, Any], way: str) -> App:
    app = net.state.apps.get(str(asked.get("client_key", "")))
    if app is None:
        raise OAuthTrouble("invalid_client", "Client key is incorrect.")
    redirect = str(asked.get("redirect_uri", ""))
    if (app.redirect_uris and redirect not in app.redirect_uris) or not redirect or "?" in redirect or "#" in redirect:
        raise OAuthTrouble("invalid_request", "Redirect_uri is not matched with the uri registered.")
    if asked.get("response_type") != "code":
        raise OAuthTrouble("unsupported_response_type", "The response_type is not supported.")
    wanted = str(asked.get("scope", "")).split(",")
    if way == "business" and not redirect.endswith("/"):
        raise OAuthTrouble("invalid_request", "Redirect_uri must end with a slash.")
    if "user.info.basic" not in wanted or not set(wanted) <= set(BY_BUSINESS if way == "business" else SCOPES):
        raise OAuthTrouble("invalid_scope", "The requested scope is invalid, unknown, or malformed.")
    return app


async def _page(net: TikTok, request: web.Request) -> web.Response:
    app = _asking(net, request.query, way_of(request))
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(request.query.get(name, ""))}">' for name in ASKED
    )
    scopes = escape(request.query["scope"].replace(",", ", "))
    page = PAGE.format(app=escape(app.name), scopes=scopes, hidden=hidden, action=escape(request.path))
    return web.Response(text=page, content_type="text/html")


async def _decide(net: TikTok, request: web.Request) -> web.Response:
    asked = {name: str(value) for name, value in (await request.post()).items()}
    way = way_of(request)
    app, back = _asking(net, asked, way), {"state": asked.get("state", "")}
    if asked.get("decision") != "allow":
        said = {"error": "access_denied", "error_description": "The user denied the request."}
        return _go(asked["redirect_uri"], {**said, **back})
    declined = asked.get("declined", "").split(",")
    scopes = [one for one in asked["scope"].split(",") if one not in declined]
    code = f"{secrets.token_urlsafe(60)}*0!{secrets.randbelow(9000)}"
    user = net.user(asked.get("username") or "regie")
    net.state.codes[code] = Code(user.id, app.key, asked["redirect_uri"], scopes, net.now() + CODE_HOLDS, way)
    net.world.changes += 1
    name = "auth_code" if way == "business" else "code"
    return _go(asked["redirect_uri"], {name: code, "scopes": ",".join(scopes), **back})


def _go(address: str, query: Mapping[str, str]) -> web.Response:
    return web.Response(status=302, headers={"Location": f"{address}?{urlencode(query)}"})


async def _with_secret(net: TikTok, request: web.Request) -> tuple[dict[str, str], App]:
    if request.content_type != "application/x-www-form-urlencoded":
        raise OAuthTrouble("invalid_request", "Only `application/x-www-form-urlencoded` is supported as Content-Type.")
    asked = {name: str(value) for name, value in (await request.post()).items()}
    app = net.state.apps.get(asked.get("client_key", ""))
    if app is None or not hmac.compare_digest(app.secret, asked.get("client_secret", "")):
        raise OAuthTrouble("invalid_client", "Client key or secret is incorrect.")
    return asked, app


async def _token(net: TikTok, request: web.Request) -> dict[str, Any]:
    asked, app = await _with_secret(net, request)
    match asked.get("grant_type"):
        case "authorization_code":
            code = net.state.codes.pop(asked.get("code", ""), None)
            if code is None or code.until <= net.now() or (code.app, code.way) != (app.key, "open"):
                raise OAuthTrouble("invalid_grant", "Authorization code is expired.")
            if code.redirect_uri != asked.get("redirect_uri"):
                raise OAuthTrouble("invalid_request", "Redirect_uri is not matched with the uri when requesting code.")
            return pair(net, code.user, app, code.scopes)
        case "refresh_token":
            held = net.state.tokens.get(asked.get("refresh_token", ""))
            fits = held is not None and (held.kind, held.way, held.app) == ("refresh", "open", app.key)
            if held is None or not fits or held.until <= net.now():
                raise OAuthTrouble("invalid_grant", "Refresh token is invalid or expired.")
            del net.state.tokens[asked["refresh_token"]]  # it may be another from now on: here it always is
            return pair(net, held.user, app, held.scopes)
    raise OAuthTrouble("unsupported_grant_type", "The grant type is not supported.")


def pair(net: TikTok, user: str, app: App, scopes: list[str], way: str = "open") -> dict[str, Any]:
    access, refresh = f"act.{secrets.token_urlsafe(40)}!{secrets.randbelow(9000)}", f"rft.{secrets.token_urlsafe(40)}"
    net.state.tokens[access] = Token(user, app.key, scopes, net.now() + ACCESS, way=way)
    net.state.tokens[refresh] = Token(user, app.key, scopes, net.now() + REFRESH, "refresh", way)
    net.world.changes += 1
    return {
        "access_token": access,
        "expires_in": int(ACCESS.total_seconds()),
        "open_id": user,
        "refresh_expires_in": int(REFRESH.total_seconds()),
        "refresh_token": refresh,
        "scope": ",".join(scopes),
        "token_type": "Bearer",
    }


async def _revoke(net: TikTok, request: web.Request) -> dict[str, Any]:
    """Every token that the account gave to the app."""
    asked, app = await _with_secret(net, request)
    held = net.state.tokens.get(asked.get("token", ""))
    if held is None or held.app != app.key:
        raise OAuthTrouble("invalid_request", "The request parameters are malformed.")
    net.withdraw(held.user, app, reason=5)
    return {}
