"""The sign-in page, tokens that are traded and taken back. Source: fundamentals/authentication/oauth-2-0."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from aiohttp import web

from regie_sandbox.x.call import as_json
from regie_sandbox.x.rules import CODE_HOLDS, TOKEN_LASTS
from regie_sandbox.x.state import App, Code, Token

if TYPE_CHECKING:
    from regie_sandbox.x.app import X

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>*{{box-sizing:border-box}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem}}
body{{background:#fff;color:#0f1419}}a{{color:#0b6bb0}}article{{border-top:1px solid #ccc}}
input,button{{font:inherit;padding:.6rem 1rem;border-radius:2rem;border:1px solid #0f1419;width:100%;margin:.3rem 0}}
button{{background:#0f1419;color:#fff;cursor:pointer}}button.no{{background:none;color:#0f1419}}</style>
</head><body><main>{body}</main></body></html>"""
FORM = """<h1>Sandbox X</h1>
<p><strong>{app}</strong> wants to access your account. This is for practice: no password is asked.</p>
<p>It wants: {scopes}.</p>
<form method="post" action="/i/oauth2/authorize">{hidden}
<label for="username">Account</label>
<input id="username" name="username" value="regie" autocomplete="username" required>
<button name="decision" value="allow">Authorize app</button>
<button class="no" name="decision" value="deny" formnovalidate>Cancel</button></form>"""
ASKED = ("client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "response_type")


class Said(Exception):
    """OAuth's own way to say no."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status, self.body = status, {"error": error, "error_description": description}


def routes(net: X) -> list[web.RouteDef]:
    async def page(request: web.Request) -> web.Response:
        app = _asking(net, request.query)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(request.query.get(name, ""))}">' for name in ASKED
        )
        scopes = escape(request.query.get("scope", "").replace(" ", ", "))
        body = FORM.format(app=escape(app.name), scopes=scopes, hidden=hidden)
        return web.Response(text=PAGE.format(title="Authorize", body=body), content_type="text/html")

    async def decide(request: web.Request) -> web.Response:
        fields = {name: str(value) for name, value in (await request.post()).items()}
        app = _asking(net, fields)
        back = {"state": fields["state"]} if fields.get("state") else {}
        if fields.get("decision") != "allow":
            return _go(fields["redirect_uri"], {"error": "access_denied", **back})
        code = secrets.token_urlsafe(48)
        declined = fields.get("declined", "").split()
        net.state.codes[code] = Code(
            app.client_id,
            net.user(fields.get("username") or "regie").id,
            fields["redirect_uri"],
            [one for one in fields.get("scope", "").split() if one not in declined],
            fields["code_challenge"],
            fields.get("code_challenge_method") or "plain",
            net.now() + CODE_HOLDS,
        )
        return _go(fields["redirect_uri"], {**back, "code": code})

    async def token(request: web.Request) -> web.Response:
        fields = {name: str(value) for name, value in (await request.post()).items()}
        app = _app_of(net, request, fields)
        match fields.get("grant_type"):
            case "authorization_code":
                code = net.state.codes.pop(fields.get("code", ""), None)
                if code is None or not _fits(code, fields, app) or code.until < net.now():
                    raise Said(400, "invalid_request", "Value passed for the authorization code was invalid.")
                return as_json(_pair(net, Token(code.user, app.client_id, code.scopes)))
            case "refresh_token":
                held = net.state.refresh.pop(fields.get("refresh_token", ""), None)
                if held is None or held.client_id != app.client_id:
                    raise Said(400, "invalid_request", "Value passed for the token was invalid.")
                return as_json(_pair(net, held))
        raise Said(400, "unsupported_grant_type", "Value passed for the grant type was invalid.")

    async def revoke(request: web.Request) -> web.Response:
        fields = {name: str(value) for name, value in (await request.post()).items()}
        _app_of(net, request, fields)
        net.state.tokens.pop(fields.get("token", ""), None)
        net.state.refresh.pop(fields.get("token", ""), None)
        return as_json({"revoked": True})

    async def of_app(request: web.Request) -> web.Response:
        fields = await request.post()
        key, secret = _basic(request)
        app = next((one for one in net.state.apps.values() if one.api_key == key), None)
        if app is None or not secrets.compare_digest(app.api_secret, secret):
            said = {"code": 99, "label": "authenticity_token_error", "message": "Unable to verify your credentials"}
            return as_json({"errors": [said]}, status=403)
        if fields.get("grant_type") != "client_credentials":
            return as_json({"errors": [{"code": 170, "message": "Missing required parameter: grant_type"}]}, status=403)
        app.bearer = app.bearer or f"AAAA{secrets.token_urlsafe(48)}"
        return as_json({"token_type": "bearer", "access_token": app.bearer})

    return [
        web.get("/i/oauth2/authorize", _guarded(page)),
        web.post("/i/oauth2/authorize", _guarded(decide)),
        web.post("/2/oauth2/token", _guarded(token)),
        web.post("/2/oauth2/revoke", _guarded(revoke)),
        web.post("/oauth2/token", of_app),
    ]


def _guarded(do: Any) -> Any:
    async def handler(request: web.Request) -> web.StreamResponse:
        try:
            answer: web.StreamResponse = await do(request)
        except Said as said:
            return as_json(said.body, status=said.status)
        return answer

    return handler


def _asking(net: X, fields: Mapping[str, str]) -> App:
    app = net.state.apps.get(fields.get("client_id", ""))
    if app is None:
        raise Said(400, "invalid_request", "Value passed for client_id was invalid.")
    if app.redirect_uris and fields.get("redirect_uri") not in app.redirect_uris:
        raise Said(400, "invalid_request", "Value passed for redirect_uri did not match the uri of the app.")
    if fields.get("response_type") != "code" or not fields.get("state") or not fields.get("code_challenge"):
        raise Said(400, "invalid_request", "response_type, state and code_challenge are required.")
    return app


def _basic(request: web.Request) -> tuple[str, str]:
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote(name), unquote(secret)


def _app_of(net: X, request: web.Request, fields: Mapping[str, str]) -> App:
    """A confidential app shows its secret by HTTP Basic."""
    client_id, secret = _basic(request)
    app = net.state.apps.get(client_id or fields.get("client_id", ""))
    if app is None or not secrets.compare_digest(app.client_secret, secret):
        raise Said(401, "unauthorized_client", "Missing valid authorization header")
    return app


def _fits(code: Code, fields: Mapping[str, str], app: App) -> bool:
    if code.client_id != app.client_id or code.redirect_uri != fields.get("redirect_uri"):
        return False
    verifier = fields.get("code_verifier", "")
    if code.method == "plain":
        return secrets.compare_digest(code.challenge, verifier)
    digest = hashlib.sha256(verifier.encode()).digest()
    return code.challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _pair(net: X, held: Token) -> dict[str, Any]:
    """A fresh access token, and a fresh refresh token where the person allowed one."""
    access = net.new_token(held.user, held.client_id, held.scopes, lasts=TOKEN_LASTS)
    found: dict[str, Any] = {
        "token_type": "bearer",
        "expires_in": int(TOKEN_LASTS.total_seconds()),
        "access_token": access,
        "scope": " ".join(held.scopes),
    }
    if "offline.access" in held.scopes:
        found["refresh_token"] = secrets.token_urlsafe(48)
        net.state.refresh[found["refresh_token"]] = Token(held.user, held.client_id, held.scopes)
    return found


def _go(address: str, query: dict[str, str]) -> web.Response:
    separator = "&" if "?" in address else "?"
    return web.Response(status=302, headers={"Location": f"{address}{separator}{urlencode(query)}"})
