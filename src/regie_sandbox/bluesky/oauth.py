"""The authorization server: PAR, the sign-in and consent page, tokens, revocation.

Sources: atproto.com/specs/oauth, RFC 9126 (PAR), 7636 (PKCE), 9449 (DPoP), 7523 (client assertions);
refusals as PDS 0.4.217.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
from aiohttp import web
from cryptography.exceptions import InvalidSignature

from regie_sandbox.bluesky.problem import Problem, invalid
from regie_sandbox.bluesky.state import Asked, Token
from regie_sandbox.bluesky.store import Store
from regie_sandbox.bluesky.tokens import OAUTH_ACCESS_LASTS, Tokens, b64, unb64, verified

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
REQUEST_LASTS, CODE_LASTS = 300, 60
SCOPES = ("atproto", "transition:generic", "transition:email", "transition:chat.bsky")
Form = Mapping[str, str]


class OAuth:
    """``clients``: client id -> metadata document, for clients whose document was read (or put there by a test)."""

    def __init__(self, store: Store, tokens: Tokens, base: Callable[[], str]) -> None:
        self.store, self.tokens, self.base = store, tokens, base
        self.clients: dict[str, dict[str, Any]] = {}
        self._assertions: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/.well-known/oauth-protected-resource", self.resource),
            web.get("/.well-known/oauth-authorization-server", self.metadata),
            web.get("/oauth/jwks", self.jwks),
            web.post("/oauth/par", self._answering(self.par)),
            web.get("/oauth/authorize", self.page),
            web.post("/oauth/authorize", self.answered),
            web.post("/oauth/token", self._answering(self.token)),
            web.post("/oauth/revoke", self._answering(self.revoke)),
        ]

    def _answering(
        self, handle: Callable[[web.Request, Form], Awaitable[dict[str, Any]]], status: int = 200
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            form = {name: str(value) for name, value in (await request.post()).items()}
            try:
                body = await handle(request, form)
            except Problem as problem:
                said = {"error": problem.error, "error_description": problem.message}
                return web.json_response(
                    said, status=problem.status, headers=problem.headers | self.tokens.nonce_header()
                )
            code = 201 if "request_uri" in body else status
            return web.json_response(body, status=code, headers=self._headers())

        return answer

    def _headers(self) -> dict[str, str]:
        return {"Cache-Control": "no-store", **self.tokens.nonce_header()}

    def _now(self) -> float:
        return self.store.now().timestamp()

    async def resource(self, _: web.Request) -> web.Response:
        base = self.base()
        return web.json_response(
            {
                "resource": base,
                "authorization_servers": [base],
                "scopes_supported": [],
                "bearer_methods_supported": ["header"],
                "resource_documentation": "https://atproto.com",
            }
        )

    async def metadata(self, _: web.Request) -> web.Response:
        base = self.base()
        return web.json_response(
            {
                "issuer": base,
                "scopes_supported": list(SCOPES),
                "subject_types_supported": ["public"],
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
                "jwks_uri": f"{base}/oauth/jwks",
                "authorization_endpoint": f"{base}/oauth/authorize",
                "token_endpoint": f"{base}/oauth/token",
                "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
                "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
                "revocation_endpoint": f"{base}/oauth/revoke",
                "pushed_authorization_request_endpoint": f"{base}/oauth/par",
                "require_pushed_authorization_requests": True,
                "dpop_signing_alg_values_supported": ["ES256"],
                "protected_resources": [base],
                "client_id_metadata_document_supported": True,
            }
        )

    async def jwks(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": []})  # tokens are for ourselves to read, as on the vendor's own server

    # Who asks for a token

    async def _client(self, form: Form) -> dict[str, Any]:
        """The client's metadata, its assertion checked when it has to give one."""
        client_id = form.get("client_id", "")
        client = await self._described(client_id)
        if client.get("token_endpoint_auth_method") == "private_key_jwt":
            self._check_assertion(form, client)
        return client

    async def _described(self, client_id: str) -> dict[str, Any]:
        address = urlsplit(client_id)
        if address.scheme == "http" and address.hostname == "localhost" and address.path in ("", "/"):
            query = parse_qs(address.query)
            return {
                "client_id": client_id,
                "client_name": "A program on this computer",
                "redirect_uris": query.get("redirect_uri", ["http://127.0.0.1/", "http://[::1]/"]),
                "scope": query.get("scope", ["atproto"])[0],
                "token_endpoint_auth_method": "none",
            }
        if client_id not in self.clients:
            self.clients[client_id] = await self._fetched(client_id)
        return self.clients[client_id]

    async def _fetched(self, client_id: str) -> dict[str, Any]:
        problem = invalid("Unable to obtain client metadata", "invalid_client_metadata")
        if not client_id.startswith("https://"):
            raise problem
        try:
            timeout = aiohttp.ClientTimeout(total=5)
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(client_id) as reply:
                document: dict[str, Any] = json.loads(await reply.content.read(65_536))
        except (aiohttp.ClientError, TimeoutError, ValueError):
            raise problem from None
        if document.get("client_id") != client_id or not document.get("dpop_bound_access_tokens"):
            raise problem
        return document

    def _check_assertion(self, form: Form, client: Mapping[str, Any]) -> None:
        try:
            text = form["client_assertion"]
            kid = json.loads(unb64(text.split(".")[0]))["kid"]
            key = next(key for key in client["jwks"]["keys"] if key["kid"] == kid)
            claims = verified(text, key)
            fine = (
                form["client_assertion_type"] == ASSERTION_TYPE
                and claims["iss"] == claims["sub"] == client["client_id"]
                and claims["aud"] == self.base()
                and claims["exp"] > time.time()
                and claims["jti"] not in self._assertions
            )
        except (KeyError, ValueError, IndexError, StopIteration, InvalidSignature):
            raise Problem(401, "invalid_client", "Client authentication failed") from None
        if not fine:
            raise Problem(401, "invalid_client", "Client authentication failed")
        self._assertions.add(claims["jti"])

    # The four steps

    async def par(self, request: web.Request, form: Form) -> dict[str, Any]:
        client = await self._client(form)
        jkt = self.tokens.proven(request)
        scopes = form.get("scope", "").split()
        if form.get("response_type") != "code" or form.get("code_challenge_method") != "S256":
            raise invalid("response_type=code and code_challenge_method=S256 are needed", "invalid_request")
        if len(form.get("code_challenge", "")) != 43:
            raise invalid("Invalid code_challenge", "invalid_request")
        if "atproto" not in scopes or not set(scopes) <= set(client["scope"].split()):
            raise invalid("Scope not allowed for this client", "invalid_scope")
        if not _may_return(form.get("redirect_uri", ""), client["redirect_uris"]):
            raise invalid("Invalid redirect_uri", "invalid_request")
        name = f"urn:ietf:params:oauth:request_uri:req-{secrets.token_hex(16)}"
        self.store.state.asked[name] = Asked(
            client_id=form["client_id"],
            redirect_uri=form["redirect_uri"],
            scope=form["scope"],
            state=form.get("state", ""),
            challenge=form["code_challenge"],
            hint=form.get("login_hint", ""),
            jkt=jkt,
            expires=self._now() + REQUEST_LASTS,
        )
        return {"request_uri": name, "expires_in": REQUEST_LASTS}

    def _asked(self, request_uri: str, client_id: str) -> Asked | None:
        asked = self.store.state.asked.get(request_uri)
        fine = asked and asked.client_id == client_id and asked.expires > self._now() and not asked.code
        return asked if fine else None

    async def page(self, request: web.Request) -> web.Response:
        asked = self._asked(request.query.get("request_uri", ""), request.query.get("client_id", ""))
        if asked is None:
            return _page("This request is unknown or has expired.", "<p>Go back and start again.</p>", status=400)
        return _sign_in_page(asked, request.query["request_uri"])

    async def answered(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        request_uri = form.get("request_uri", "")
        asked = self._asked(request_uri, form.get("client_id", ""))
        if asked is None:
            return _page("This request is unknown or has expired.", "<p>Go back and start again.</p>", status=400)
        if "username" in form:
            account = self.store.find(form["username"].strip().removeprefix("@"))
            if account is None or account.closed or account.password != form.get("password", ""):
                return _sign_in_page(asked, request_uri, wrong=True)
            asked.did, asked.ticket = account.did, secrets.token_hex(16)
            return _consent_page(asked, request_uri, account.handle)
        if not asked.ticket or not secrets.compare_digest(form.get("ticket", ""), asked.ticket):
            return _sign_in_page(asked, request_uri)
        return self._sent_back(asked, request_uri, allowed=form.get("answer") == "accept")

    def _sent_back(self, asked: Asked, request_uri: str, *, allowed: bool) -> web.Response:
        told = {"iss": self.base(), "state": asked.state}
        if allowed:
            asked.code, asked.expires = f"cod-{secrets.token_hex(32)}", self._now() + CODE_LASTS
            self.store.state.codes[asked.code] = request_uri
            told["code"] = asked.code
        else:
            del self.store.state.asked[request_uri]
            told |= {"error": "access_denied", "error_description": "Access denied"}
        glue = "&" if urlsplit(asked.redirect_uri).query else "?"
        return web.Response(status=303, headers={"Location": f"{asked.redirect_uri}{glue}{urlencode(told)}"})

    async def token(self, request: web.Request, form: Form) -> dict[str, Any]:
        await self._client(form)
        jkt = self.tokens.proven(request)
        match form.get("grant_type"):
            case "authorization_code":
                return self._code_traded(form, jkt)
            case "refresh_token":
                return self._refreshed(form, jkt)
        raise invalid("Grant type not supported", "unsupported_grant_type")

    def _code_traded(self, form: Form, jkt: str) -> dict[str, Any]:
        state, code = self.store.state, form.get("code", "")
        if code in state.traded:  # somebody has it twice: neither is to be trusted
            self.tokens.end(state.traded[code])
            raise invalid("Invalid code", "invalid_grant")
        asked = state.asked.pop(state.codes.pop(code, ""), None)
        if asked is None or asked.client_id != form.get("client_id"):
            raise invalid("Invalid code", "invalid_grant")
        if asked.expires <= self._now():
            raise invalid("This code has expired", "invalid_grant")
        if asked.redirect_uri != form.get("redirect_uri"):
            raise invalid(
                "The redirect_uri parameter must match the one used in the authorization request", "invalid_grant"
            )
        if b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest()) != asked.challenge:
            raise invalid("Invalid code_verifier", "invalid_grant")
        if asked.jkt != jkt:
            raise invalid("DPoP proof does not match the expected JKT", "invalid_grant")
        family = state.traded[code] = secrets.token_hex(8)
        return self._given(Token(asked.did, family, 0, jkt=jkt, scope=asked.scope, client_id=asked.client_id))

    def _refreshed(self, form: Form, jkt: str) -> dict[str, Any]:
        token = self.store.state.tokens.get(form.get("refresh_token", ""))
        if token is None or not token.refresh or not token.jkt:
            raise invalid("Invalid refresh token", "invalid_grant")
        if token.used:
            self.tokens.end(token.family)
            raise invalid("Refresh token replayed", "invalid_grant")
        if token.client_id != form.get("client_id"):
            raise invalid("Token was not issued to this client", "invalid_grant")
        if token.jkt != jkt:
            raise invalid("DPoP proof does not match the expected JKT", "invalid_grant")
        if token.expires <= self._now():
            raise invalid("Refresh token expired", "invalid_grant")
        token.used = True
        return self._given(token)

    def _given(self, token: Token) -> dict[str, Any]:
        access, refresh = self.tokens.pair(
            token.did, family=token.family, jkt=token.jkt, scope=token.scope, client_id=token.client_id
        )
        return {
            "access_token": access,
            "token_type": "DPoP",
            "refresh_token": refresh,
            "scope": token.scope,
            "expires_in": OAUTH_ACCESS_LASTS,
            "sub": token.did,
        }

    async def revoke(self, request: web.Request, form: Form) -> dict[str, Any]:
        await self._client(form)
        token = self.store.state.tokens.get(form.get("token", ""))
        if token is not None and token.client_id == form.get("client_id"):
            self.tokens.end(token.family)
        return {}


def _may_return(redirect_uri: str, allowed: list[str]) -> bool:
    """Exactly one of those named; on loopback the port is free."""
    wanted = urlsplit(redirect_uri)
    for one in map(urlsplit, allowed):
        if wanted == one:
            return True
        loopback = wanted.hostname in ("127.0.0.1", "::1") and wanted.scheme == "http"
        if loopback and (wanted.scheme, wanted.hostname, wanted.path) == (one.scheme, one.hostname, one.path):
            return True
    return False


def _page(title: str, body: str, *, status: int = 200) -> web.Response:
    html = f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<title>{escape(title)}</title><style>
:root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }}
main {{ max-width: 24rem; margin: 4rem auto; padding: 0 1rem }}
input, button {{ font: inherit; padding: .5rem; width: 100%; box-sizing: border-box; margin: .25rem 0 1rem }}
</style></head><body><main><h1>{escape(title)}</h1>{body}</main></body></html>"""
    return web.Response(text=html, content_type="text/html", status=status, headers={"Cache-Control": "no-store"})


def _hidden(**fields: str) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in fields.items())


def _sign_in_page(asked: Asked, request_uri: str, *, wrong: bool = False) -> web.Response:
    alert = '<p role="alert">Wrong identifier or password.</p>' if wrong else ""
    return _page(
        "Sign in to the sandbox's Bluesky",
        f"""{alert}<form method="post" action="/oauth/authorize">
{_hidden(request_uri=request_uri, client_id=asked.client_id)}
<label for="username">Username or email address</label>
<input id="username" name="username" autocomplete="username" required value="{escape(asked.hint)}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Sign in</button></form>""",
        status=401 if wrong else 200,
    )


def _consent_page(asked: Asked, request_uri: str, handle: str) -> web.Response:
    who = urlsplit(asked.redirect_uri).netloc
    return _page(
        "Authorize",
        f"""<p><strong>{escape(who)}</strong> wants to use the account <strong>@{escape(handle)}</strong>:
read, post and answer in its name.</p><form method="post" action="/oauth/authorize">
{_hidden(request_uri=request_uri, client_id=asked.client_id, ticket=asked.ticket)}
<button name="answer" value="accept">Authorize</button>
<button name="answer" value="deny">Deny access</button></form>""",
    )
