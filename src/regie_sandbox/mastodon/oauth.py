"""Registering an app, the sign-in page a person sees, and tokens. Source: docs.joinmastodon.org/spec/oauth."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from regie_sandbox.mastodon.call import Call, authed, fields_of, public
from regie_sandbox.mastodon.rules import Problem
from regie_sandbox.mastodon.state import App, Code

if TYPE_CHECKING:
    from regie_sandbox.mastodon.app import Mastodon

OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"
CODE_HOLDS = timedelta(minutes=10)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<style>*{{box-sizing:border-box}}
body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem;background:#191b22}}
body,button.no{{color:#e6e6ea}}
input,button{{font:inherit;padding:.6rem 1rem;border-radius:.4rem;border:1px solid #6364ff;width:100%;margin:.3rem 0}}
input{{background:#fff;color:#111}}button{{background:#4b4ce0;color:#fff;cursor:pointer}}button.no{{background:none}}</style>
</head><body><main>{body}</main></body></html>"""
FORM = """<h1>Sandbox Mastodon</h1>
<p><strong>{app}</strong> would like to use your account. This server is for practice: no password is asked.</p>
<p>It wants: {scopes}.</p>
<form method="post" action="/oauth/authorize">{hidden}
<label for="username">User name</label>
<input id="username" name="username" value="regie" autocomplete="username" required>
<button name="decision" value="authorize">Authorize</button>
<button class="no" name="decision" value="deny" formnovalidate>Deny</button></form>"""
ASKED = ("client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "response_type")


def routes(server: Mastodon) -> list[web.RouteDef]:
    async def register(request: web.Request) -> Any:
        fields = await fields_of(request)
        uris = fields.get("redirect_uris") or ""
        uris = uris if isinstance(uris, list) else uris.split("\n")
        if not fields.get("client_name") or not any(uris):
            raise Problem(422, "Validation failed: Application name can't be blank, Redirect URI can't be blank")
        app = server.new_app(fields["client_name"], uris, fields.get("scopes") or "read", fields.get("website") or None)
        return server.shows.application(app)

    async def page(request: web.Request) -> web.Response:
        app = _app_asking(server, request.query)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(request.query.get(name, ""))}">' for name in ASKED
        )
        scopes = escape(request.query.get("scope", "read").replace(" ", ", "))
        return _page("Authorize", FORM.format(app=escape(app.name), scopes=scopes, hidden=hidden))

    async def decide(request: web.Request) -> web.Response:
        fields = await fields_of(request)
        app = _app_asking(server, fields)
        back = {"state": fields["state"]} if fields.get("state") else {}
        if fields.get("decision") != "authorize":
            said = "The resource owner or authorization server denied the request."
            return _go(fields["redirect_uri"], {"error": "access_denied", "error_description": said, **back})
        code = secrets.token_urlsafe(24)
        server.state.codes[code] = Code(
            client_id=app.client_id,
            account_id=server.person(fields.get("username") or "regie").id,
            redirect_uri=fields["redirect_uri"],
            scopes=fields.get("scope") or "read",
            challenge=fields.get("code_challenge", ""),
            until=server.now() + CODE_HOLDS,
        )
        if fields["redirect_uri"] == OUT_OF_BAND:
            return _page("Code", f"<p>Copy this code:</p><p><code>{code}</code></p>")
        return _go(fields["redirect_uri"], {"code": code, **back})

    async def token(request: web.Request) -> Any:
        fields = await fields_of(request)
        app = _app_with_secret(server, fields)
        if fields.get("grant_type") == "client_credentials":
            return _token(server, server.person("app").id, app, fields.get("scope") or "read")
        code = server.state.codes.pop(fields.get("code", ""), None)
        if fields.get("grant_type") != "authorization_code" or not _fits(code, fields, app, server):
            raise Problem(400, "invalid_grant", error_description=INVALID_GRANT)
        assert code is not None
        return _token(server, code.account_id, app, code.scopes)

    async def revoke(request: web.Request) -> Any:
        fields = await fields_of(request)
        _app_with_secret(server, fields, status=403)
        server.state.tokens.pop(fields.get("token", ""), None)
        server.state.ready = {name: one for name, one in server.state.ready.items() if one in server.state.tokens}
        return {}

    async def metadata(_: web.Request) -> Any:
        return _metadata(server.base)

    async def app_itself(call: Call) -> Any:
        shown = server.shows.application(server.state.apps[call.token.client_id])
        return {name: value for name, value in shown.items() if not name.startswith("client_")}

    return [
        web.post("/api/v1/apps", public(register)),
        web.get("/api/v1/apps/verify_credentials", authed(server, app_itself, "read")),
        web.get("/oauth/authorize", public(page)),
        web.post("/oauth/authorize", public(decide)),
        web.post("/oauth/token", public(token)),
        web.post("/oauth/revoke", public(revoke)),
        web.get("/.well-known/oauth-authorization-server", public(metadata)),
    ]


INVALID_GRANT = (
    "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the "
    "authorization request, or was issued to another client."
)


def _app_asking(server: Mastodon, fields: Mapping[str, Any]) -> App:
    app = server.state.apps.get(str(fields.get("client_id", "")))
    if app is None:
        raise Problem(401, "invalid_client", error_description="Client authentication failed due to unknown client.")
    if fields.get("redirect_uri") not in app.redirect_uris:
        raise Problem(400, "invalid_redirect_uri", error_description="The redirect uri included is not valid.")
    return app


def _app_with_secret(server: Mastodon, fields: Mapping[str, Any], *, status: int = 401) -> App:
    app = server.state.apps.get(str(fields.get("client_id", "")))
    if app is None or not secrets.compare_digest(app.client_secret, str(fields.get("client_secret", ""))):
        said = "Client authentication failed due to unknown client, no client authentication included, or unsupported."
        raise Problem(status, "invalid_client", error_description=said)
    return app


def _fits(code: Code | None, fields: Mapping[str, Any], app: App, server: Mastodon) -> bool:
    if code is None or code.until < server.now() or code.client_id != app.client_id:
        return False
    if code.redirect_uri != fields.get("redirect_uri"):
        return False
    digest = hashlib.sha256(str(fields.get("code_verifier", "")).encode()).digest()
    return not code.challenge or code.challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _token(server: Mastodon, account_id: str, app: App, scopes: str) -> dict[str, Any]:
    value = server.new_token(account_id, app, scopes)
    created = int(server.now().timestamp())
    return {"access_token": value, "token_type": "Bearer", "scope": scopes, "created_at": created}


def _metadata(base: str) -> dict[str, Any]:
    return {
        "issuer": f"{base}/",
        "service_documentation": "https://docs.joinmastodon.org/",
        "authorization_endpoint": f"{base}/oauth/authorize",
        "token_endpoint": f"{base}/oauth/token",
        "app_registration_endpoint": f"{base}/api/v1/apps",
        "revocation_endpoint": f"{base}/oauth/revoke",
        "userinfo_endpoint": f"{base}/oauth/userinfo",
        "scopes_supported": ["read", "write", "follow", "push", "profile", "write:statuses", "write:media"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
    }


def _go(address: str, query: dict[str, str]) -> web.Response:
    separator = "&" if "?" in address else "?"
    return web.Response(status=302, headers={"Location": f"{address}{separator}{urlencode(query)}"})


def _page(title: str, body: str) -> web.Response:
    return web.Response(text=PAGE.format(title=title, body=body), content_type="text/html")
