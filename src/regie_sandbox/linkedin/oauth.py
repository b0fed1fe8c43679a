"""LinkedIn's sign-in page and tokens. Source: NOTES.md of the connector."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from datetime import timedelta
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from aiohttp import web

from regie_sandbox.graph.oauth import ASKED, FORM, PAGE
from regie_sandbox.linkedin.state import App, Code
from regie_sandbox.linkedin.wire import answered

if TYPE_CHECKING:
    from regie_sandbox.linkedin.app import LinkedIn

CODE_HOLDS = timedelta(minutes=30)
LASTS, RENEWS = timedelta(days=60), timedelta(days=365)


def routes(net: LinkedIn, prefix: str) -> list[web.RouteDef]:
    pages = SignIn(net)
    return [
        web.get(f"{prefix}/oauth/v2/authorization", pages.page),
        web.post(f"{prefix}/oauth/v2/authorization", pages.decide),
        web.post(f"{prefix}/oauth/v2/accessToken", pages.token),
        web.post(f"{prefix}/oauth/v2/revoke", pages.revoke),
    ]


def _go(asked: Mapping[str, Any], told: Mapping[str, str]) -> web.Response:
    address, state = str(asked["redirect_uri"]), str(asked.get("state", ""))
    separator = "&" if "?" in address else "?"
    query = urlencode({**told, **({"state": state} if state else {})})
    return web.Response(status=302, headers={"Location": f"{address}{separator}{query}"})


def _error(status: int, error: str, why: str) -> web.Response:
    return answered({"error": error, "error_description": why}, status=status)


class SignIn:
    def __init__(self, net: LinkedIn) -> None:
        self.net = net

    def _asking(self, asked: Mapping[str, Any]) -> App | None:
        app = self.net.state.apps.get(str(asked.get("client_id", "")))
        fits = app is not None and (not app.redirect_uris or asked.get("redirect_uri") in app.redirect_uris)
        return app if fits else None

    def _lacking(self, app: App, asked: Mapping[str, Any]) -> str:
        """The first scope that the app's products do not give: then nobody signs in at all."""
        return next((one for one in str(asked.get("scope", "")).split() if one not in app.scopes), "")

    async def page(self, request: web.Request) -> web.StreamResponse:
        asked = request.query
        app = self._asking(asked)
        if app is None or asked.get("response_type") != "code":
            return web.Response(status=400, text="Bummer, something went wrong.")
        if lacking := self._lacking(app, asked):
            why = f'Scope "{lacking}" is not authorized for your application'
            return _go(asked, {"error": "unauthorized_scope_error", "error_description": why})
        hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(asked.get(name, ""))}">' for name in ASKED)
        body = FORM.format(
            where="LinkedIn",
            app=escape(app.name),
            scopes=escape(", ".join(asked.get("scope", "").split())),
            hidden=hidden,
            action=escape(request.path),
        )
        return web.Response(text=PAGE.format(title="Allow", body=body), content_type="text/html")

    async def decide(self, request: web.Request) -> web.StreamResponse:
        asked = await request.post()
        app = self._asking(asked)
        if app is None:
            return web.Response(status=400, text="Bummer, something went wrong.")
        if asked.get("decision") != "allow":
            why = "The user cancelled the authorization"
            return _go(asked, {"error": "user_cancelled_authorize", "error_description": why})
        if self._lacking(app, asked):
            return _go(asked, {"error": "unauthorized_scope_error", "error_description": "Unknown"})
        code = f"AQ{secrets.token_urlsafe(48)}"
        declined = str(asked.get("declined", "")).split(",")
        scopes = [one for one in str(asked.get("scope", "")).split() if one not in declined]
        member = self.net.manager_of(self.net.page_named(str(asked.get("username") or "regie")))
        until = self.net.now() + CODE_HOLDS
        self.net.state.codes[code] = Code(member.urn, app.id, str(asked["redirect_uri"]), scopes, until)
        return _go(asked, {"code": code})

    async def token(self, request: web.Request) -> web.StreamResponse:
        asked = await request.post()
        app = self.net.state.apps.get(str(asked.get("client_id", "")))
        if app is None or not hmac.compare_digest(app.secret, str(asked.get("client_secret", ""))):
            return _error(401, "invalid_client", "Client authentication failed")
        if asked.get("grant_type") == "refresh_token":
            return self._renewed(app, str(asked.get("refresh_token", "")))
        if asked.get("grant_type") != "authorization_code":
            return _error(400, "unsupported_grant_type", "Unsupported grant type")
        code = self.net.state.codes.pop(str(asked.get("code", "")), None)
        fits = code is not None and code.app == app.id and code.until > self.net.now()
        if code is None or not fits or code.redirect_uri != asked.get("redirect_uri"):
            why = "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code."
            return _error(400, "invalid_request", why)
        return self._given(app, code.member, code.scopes, renewing="")

    def _renewed(self, app: App, renewing: str) -> web.Response:
        token = self.net.state.tokens.get(self.net.state.renewing.get(renewing, ""))
        if token is None or token.app != app.id or token.ended == "REVOKED_ACCESS_TOKEN":
            return _error(400, "invalid_request", "The provided refresh token is invalid, expired or revoked")
        return self._given(app, token.member, token.scopes, renewing=renewing)

    def _given(self, app: App, member: str, scopes: list[str], *, renewing: str) -> web.Response:
        value = self.net.make_token(member, app, scopes)
        told: dict[str, Any] = {
            "access_token": value,
            "expires_in": int(LASTS.total_seconds()) - 1,
            "scope": ",".join(sorted(scopes)),
            "token_type": "Bearer",
        }
        if app.partner:
            renewing = renewing or f"AQ{secrets.token_urlsafe(48)}"
            self.net.state.renewing[renewing] = value
            told |= {"refresh_token": renewing, "refresh_token_expires_in": int(RENEWS.total_seconds()) - 1}
        return answered(told)

    async def revoke(self, request: web.Request) -> web.StreamResponse:
        asked = await request.post()
        app = self.net.state.apps.get(str(asked.get("client_id", "")))
        if app is None or not hmac.compare_digest(app.secret, str(asked.get("client_secret", ""))):
            return _error(401, "invalid_client", "Client authentication failed")
        token = self.net.state.tokens.get(str(asked.get("token", "")))
        if token is not None:
            token.ended = "REVOKED_ACCESS_TOKEN"
        return answered()
