"""Who is who: accounts by name and by identity, and the sessions that passwords open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from aiohttp import web

from regie_sandbox.bluesky.call import Call, Handle, as_json, text_in
from regie_sandbox.bluesky.problem import Problem, invalid
from regie_sandbox.bluesky.state import Account

if TYPE_CHECKING:
    from regie_sandbox.bluesky.app import Bluesky

HANDLE = re.compile(r"^([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$")


class Accounts:
    def __init__(self, net: Bluesky) -> None:
        self.net = net
        self.handlers: dict[tuple[str, str], Handle] = {
            ("POST", "com.atproto.server.createAccount"): self._create_account,
            ("POST", "com.atproto.server.createSession"): self._create_session,
            ("POST", "com.atproto.server.refreshSession"): self._refresh_session,
            ("POST", "com.atproto.server.deleteSession"): self._delete_session,
            ("GET", "com.atproto.server.getSession"): self._get_session,
            ("GET", "com.atproto.server.describeServer"): self._describe_server,
            ("GET", "com.atproto.identity.resolveHandle"): self._resolve_handle,
        }

    async def identity(self, request: web.Request) -> web.Response:
        account = self.net.state.accounts.get(request.match_info["did"])
        if account is None:
            return as_json({"message": f"DID not registered: {request.match_info['did']}"}, status=404)
        return as_json(self.did_doc(account), headers={"Content-Type": "application/did+ld+json"})

    async def own_identity(self, _: web.Request) -> web.Response:
        did = self.net.own_did()
        service = {"id": "#bsky_appview", "type": "BskyAppView", "serviceEndpoint": self.net.base}
        return as_json({"@context": ["https://www.w3.org/ns/did/v1"], "id": did, "service": [service]})

    async def handle_identity(self, request: web.Request) -> web.Response:
        did = self.net.state.handles.get(request.host.split(":")[0])
        return web.Response(text=did) if did else web.Response(status=404, text="User not found")

    def _resolve_handle(self, call: Call) -> dict[str, Any]:
        handle = call.needed("handle").lower()
        if not HANDLE.match(handle):
            raise invalid('Error: handle must be a valid handle at "handle"')
        if (did := self.net.state.handles.get(handle)) is None:
            raise invalid("Unable to resolve handle")
        return {"did": did}

    def did_doc(self, account: Account) -> dict[str, Any]:
        return {
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": account.did,
            "alsoKnownAs": [f"at://{account.handle}"],
            "verificationMethod": [
                {
                    "id": f"{account.did}#atproto",
                    "type": "Multikey",
                    "controller": account.did,
                    "publicKeyMultibase": "zQ3shvzLcx2TeGmV33sPsVieaXWdjYwAcGXfiVgSyfhe6JdHh",
                }
            ],
            "service": [
                {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.net.base},
            ],
        }

    def _create_account(self, call: Call) -> dict[str, Any]:
        body = call.json()
        handle = text_in(body, "handle").lower()
        if not HANDLE.match(handle) or not handle.endswith(".test"):
            raise invalid("Not a supported handle domain", "UnsupportedDomain")
        if handle in self.net.state.handles:
            raise invalid(f"Handle already taken: {handle}", "HandleNotAvailable")
        account = self.net.store.account(handle, password=text_in(body, "password"), email=text_in(body, "email"))
        session = self._session(account, self.net.tokens.pair(account.did))
        return {name: session[name] for name in ("accessJwt", "refreshJwt", "handle", "did", "didDoc")}

    def _create_session(self, call: Call) -> dict[str, Any]:
        body = call.json()
        name, password = text_in(body, "identifier"), text_in(body, "password")
        call.headers |= self.net.meter.sign_in(name, call.request.remote or "")
        account = self.net.store.find(name.lower()) if "." in name or name.startswith("did:") else None
        if account is None or account.password != password:
            raise Problem(401, "AuthenticationRequired", "Invalid identifier or password")
        if account.closed:
            raise Problem(401, "AccountTakedown", "Account has been taken down")
        return self._session(account, self.net.tokens.pair(account.did)) | {"email": account.email}

    def _session(self, account: Account, pair: tuple[str, str]) -> dict[str, Any]:
        return {
            "accessJwt": pair[0],
            "refreshJwt": pair[1],
            "handle": account.handle,
            "did": account.did,
            "didDoc": self.did_doc(account),
            "emailConfirmed": False,
            "active": True,
        }

    def _refresh_session(self, call: Call) -> dict[str, Any]:
        token, pair = self.net.tokens.traded(_bearer(call))
        account = self.net.state.accounts[token.did]
        if account.closed:
            raise Problem(401, "AccountTakedown", "Account has been taken down")
        return self._session(account, pair)

    def _delete_session(self, call: Call) -> web.Response:
        self.net.tokens.end(self.net.tokens.bearer(_bearer(call), refresh=True).family)
        return web.Response(status=200)

    def _get_session(self, call: Call) -> dict[str, Any]:
        account = self.net.state.accounts[self.net.who(call).did]
        return {"handle": account.handle, "did": account.did, "didDoc": self.did_doc(account), "active": True}

    def _describe_server(self, _: Call) -> dict[str, Any]:
        return {
            "did": self.net.own_did(),
            "availableUserDomains": [".test"],
            "inviteCodeRequired": False,
            "links": {},
            "contact": {},
        }


def _bearer(call: Call) -> str:
    kind, _, text = call.request.headers.get("Authorization", "").partition(" ")
    if kind != "Bearer":
        raise Problem(401, "AuthMissing", "Authentication Required")
    return text
