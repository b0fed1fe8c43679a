"""Google's page for signing in, and tokens. Source: "Using OAuth 2.0 for Web Server Applications"."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any, Protocol
from urllib.parse import urlencode

from aiohttp import web

from regie_sandbox.google.state import Accounts, App, Code
from regie_sandbox.google.wire import SCOPE, answered

CODE_HOLDS = timedelta(minutes=10)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>*{{box-sizing:border-box}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem}}
body{{background:#f0f4f9;color:#1f1f1f}}
input,button{{font:inherit;padding:.6rem 1rem;border-radius:1.4rem;border:1px solid #0b57d0;width:100%;margin:.3rem 0}}
button{{background:#0b57d0;color:#fff;cursor:pointer}}button.no{{background:none;color:#0b57d0}}</style>
</head><body><main>{body}</main></body></html>"""
FORM = """<h1>Sandbox Google</h1>
<p><strong>{app}</strong> would like to manage your {what}. This is for practice: no password is asked.</p>
<p>It wants: {scopes}.</p>
<form method="post" action="/o/oauth2/v2/auth">{hidden}
<label for="username">{who}</label>
<input id="username" name="username" value="regie" autocomplete="username" required>
<button name="decision" value="allow">Allow</button>
<button class="no" name="decision" value="deny" formnovalidate>Cancel</button></form>"""
ASKED = (
    "client_id", "redirect_uri", "scope", "state", "response_type", "access_type", "prompt", "code_challenge",
    "code_challenge_method",
)  # fmt: skip
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Vendor(Protocol):
    """A network that is signed in to at Google. ``who``: the field's label on the page; ``what`` is managed."""

    who: str
    what: str

    @property
    def state(self) -> Accounts: ...

    def holder(self, name: str) -> str:
        """The id of whom a token speaks for, by the name typed on the page; made when missing."""
        ...

    def make_token(self, holder: str, app: App, scopes: Sequence[str], *, refresh: bool = False) -> str: ...

    def now(self) -> datetime: ...


class Refusal(Exception):
    def __init__(self, error: str, description: str = "", *, status: int = 400) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, **({"error_description": description} if description else {})}


def routes(net: Vendor) -> list[web.RouteDef]:
    return [
        web.get("/o/oauth2/v2/auth", _guarded(_page, net)),
        web.post("/o/oauth2/v2/auth", _guarded(_decide, net)),
        web.post("/token", _guarded(_token, net)),
        web.post("/revoke", _guarded(_revoke, net)),
    ]


def _guarded(handle: Callable[[Vendor, Mapping[str, Any]], web.StreamResponse], net: Vendor) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return handle(net, {**request.query, **await request.post()})
        except Refusal as refusal:
            return answered(refusal.body, status=refusal.status)

    return guarded


def _app(net: Vendor, asked: Mapping[str, Any]) -> App:
    app = net.state.apps.get(str(asked.get("client_id", "")))
    if app is None:
        raise Refusal("invalid_client", "The OAuth client was not found.", status=401)
    return app


def _asking(net: Vendor, asked: Mapping[str, Any]) -> App:
    app = _app(net, asked)
    if not asked.get("redirect_uri") or (app.redirect_uris and asked["redirect_uri"] not in app.redirect_uris):
        raise Refusal("redirect_uri_mismatch", "The redirect URI in the request does not match the ones registered.")
    if asked.get("response_type") != "code" or not asked.get("scope"):
        raise Refusal("invalid_request", "Required parameter is missing: response_type or scope")
    if asked.get("code_challenge") and asked.get("code_challenge_method") not in ("S256", "plain", None):
        raise Refusal("invalid_request", "code_challenge_method")
    return app


def _page(net: Vendor, asked: Mapping[str, Any]) -> web.StreamResponse:
    app = _asking(net, asked)
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(str(asked[name]))}">' for name in ASKED if asked.get(name)
    )
    scopes = ", ".join(escape(one.removeprefix(SCOPE)) for one in str(asked["scope"]).split())
    body = FORM.format(app=escape(app.name), scopes=scopes, hidden=hidden, who=net.who, what=net.what)
    return web.Response(text=PAGE.format(title="Allow", body=body), content_type="text/html")


def _decide(net: Vendor, asked: Mapping[str, Any]) -> web.StreamResponse:
    """``declined``: scopes that the person unticks; ``username``: as whom they sign in."""
    app = _asking(net, asked)
    back = {"state": str(asked["state"])} if asked.get("state") else {}
    if asked.get("decision") != "allow":
        return _go(str(asked["redirect_uri"]), {"error": "access_denied", **back})
    declined = str(asked.get("declined", "")).split()
    scopes = [one.removeprefix(SCOPE) for one in str(asked["scope"]).split()]
    code = Code(
        net.holder(str(asked.get("username") or "regie")),
        app.id,
        str(asked["redirect_uri"]),
        [one for one in scopes if one not in declined],
        str(asked.get("code_challenge", "")),
        asked.get("access_type") == "offline" and "consent" in str(asked.get("prompt", "")).split(),
        net.now() + CODE_HOLDS,
    )
    word = f"4/0A{secrets.token_urlsafe(40)}"
    net.state.codes[word] = code
    scope = " ".join(f"{SCOPE}{one}" for one in code.scopes)
    return _go(code.redirect_uri, {"code": word, "scope": scope, **back})


def _token(net: Vendor, asked: Mapping[str, Any]) -> web.StreamResponse:
    app = _app(net, asked)
    if not hmac.compare_digest(app.secret, str(asked.get("client_secret", ""))):
        raise Refusal("invalid_client", "Unauthorized", status=401)
    match asked.get("grant_type"):
        case "authorization_code":
            return answered(_first(net, app, asked))
        case "refresh_token":
            held = net.state.tokens.get(str(asked.get("refresh_token", "")))
            if held is None or not held.refresh or held.app != app.id:
                raise Refusal("invalid_grant", "Token has been expired or revoked.")
            value = net.make_token(held.holder, app, held.scopes)
            return answered(_told(value, held.scopes))
    raise Refusal("unsupported_grant_type", "Invalid grant_type")


def _first(net: Vendor, app: App, asked: Mapping[str, Any]) -> dict[str, Any]:
    code = net.state.codes.pop(str(asked.get("code", "")), None)
    if code is None or code.until <= net.now() or code.app != app.id:
        raise Refusal("invalid_grant", "Malformed auth code.")
    if code.redirect_uri != asked.get("redirect_uri"):
        raise Refusal("redirect_uri_mismatch", "Bad Request")
    if code.challenge and _challenge(str(asked.get("code_verifier", ""))) != code.challenge:
        raise Refusal("invalid_grant", "Invalid code verifier.")
    told = _told(net.make_token(code.holder, app, code.scopes), code.scopes)
    if code.lasting:
        told["refresh_token"] = net.make_token(code.holder, app, code.scopes, refresh=True)
    return told


def _told(value: str, scopes: list[str]) -> dict[str, Any]:
    scope = " ".join(f"{SCOPE}{one}" for one in scopes)
    return {"access_token": value, "expires_in": 3599, "scope": scope, "token_type": "Bearer"}


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def _revoke(net: Vendor, asked: Mapping[str, Any]) -> web.StreamResponse:
    """Takes back all that the person allowed the app, whichever of their tokens is shown."""
    held = net.state.tokens.get(str(asked.get("token", "")))
    if held is None:
        raise Refusal("invalid_token", "Token expired or revoked")
    for value, token in list(net.state.tokens.items()):
        if (token.holder, token.app) == (held.holder, held.app):
            del net.state.tokens[value]
    return answered({})


def _go(address: str, query: dict[str, str]) -> web.Response:
    separator = "&" if "?" in address else "?"
    return web.Response(status=302, headers={"Location": f"{address}{separator}{urlencode(query)}"})
