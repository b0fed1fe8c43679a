"""The network itself: its routes, and its people for tests and the audience."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from aiohttp import web

from regie_sandbox.bluesky.accounts import Accounts
from regie_sandbox.bluesky.appview import AppView
from regie_sandbox.bluesky.call import Call, Handle, as_json
from regie_sandbox.bluesky.chat import Chat
from regie_sandbox.bluesky.lexicon import FOLLOW, LIKE, POST, REPOST
from regie_sandbox.bluesky.limits import Limits, Meter
from regie_sandbox.bluesky.oauth import OAuth
from regie_sandbox.bluesky.problem import Problem
from regie_sandbox.bluesky.repo import Repo
from regie_sandbox.bluesky.state import Account, Record, State, Token
from regie_sandbox.bluesky.store import Store, iso
from regie_sandbox.bluesky.tokens import Tokens
from regie_sandbox.bluesky.videos import LARGEST as LARGEST_VIDEO
from regie_sandbox.bluesky.videos import Known, Videos
from regie_sandbox.frame import Network, World


class Bluesky(Network):
    slug: ClassVar[str] = "bluesky"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        super().__init__(world)
        self.store = Store(self.state, world, self.faults)
        self.tokens = Tokens(self.store)
        self.limits = Limits()
        self.meter = Meter(self.store, self.limits)
        self.accounts = Accounts(self)
        self.repo = Repo(self)
        self.appview = AppView(self)
        self.videos = Videos(self)
        self.chat = Chat(self)
        self.oauth = OAuth(self.store, self.tokens, lambda: self.base)
        self.handlers: dict[tuple[str, str], Handle] = {
            **self.accounts.handlers,
            **self.repo.handlers,
            **self.appview.handlers,
            **self.videos.handlers,
            **self.chat.handlers,
        }

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        names = {
            400: ("InvalidRequest", "Invalid request"),
            401: ("AuthenticationRequired", "Authentication Required"),
            403: ("Forbidden", "Forbidden"),
            404: ("NotFound", "Not Found"),
            429: ("RateLimitExceeded", "Rate Limit Exceeded"),
            502: ("UpstreamFailure", "Upstream service unreachable"),
            503: ("UpstreamFailure", "Upstream service unreachable"),
            504: ("UpstreamTimeout", "Upstream Timeout"),
        }
        error, message = names.get(status, ("InternalServerError", "Internal Server Error"))
        headers = {}
        if status == 429:
            reset = int(self.store.now().timestamp()) + 300
            headers = {
                "ratelimit-limit": "5000",
                "ratelimit-remaining": "0",
                "ratelimit-reset": str(reset),
                "ratelimit-policy": "5000;w=3600",
            }
        return headers, {"error": error, "message": message}

    # Routes

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_VIDEO + 1024)
        app.add_routes(
            [
                web.get("/xrpc/_health", self._health),
                web.route("*", "/xrpc/{nsid}", self._xrpc),
                web.get("/.well-known/did.json", self.accounts.own_identity),
                web.get("/.well-known/atproto-did", self.accounts.handle_identity),
                web.get("/img/{kind}/plain/{did}/{cid}", self.repo.picture),
                web.get(r"/{did:did:plc:[a-z2-7]{24}}", self.accounts.identity),
                *self.oauth.routes(),
            ]
        )
        return app

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "0.4.217-sandbox"})

    async def _xrpc(self, request: web.Request) -> web.Response:
        call = Call(request, b"", {})
        try:
            handle = self.handlers.get((request.method, request.match_info["nsid"]))
            if handle is None:
                self.tokens.of(request)
                raise Problem(501, "MethodNotImplemented", "Method Not Implemented")
            call.body = await self._read(request)
            answer = handle(call)
        except Problem as problem:
            said = {"error": problem.error, "message": problem.message}
            return as_json(said, status=problem.status, headers=call.headers | problem.headers)
        except Known as known:
            return as_json(known.body, status=409)
        if isinstance(answer, web.Response):
            return answer
        return as_json(answer, headers=call.headers)

    async def _read(self, request: web.Request) -> bytes:
        try:
            return await request.read() if request.can_read_body else b""
        except web.HTTPRequestEntityTooLarge:
            raise Problem(413, "PayloadTooLarge", "request entity too large") from None

    def who(self, call: Call) -> Token:
        token = self.tokens.of(call.request)
        if token.jkt:
            call.headers |= self.tokens.nonce_header()
        return token

    def own_did(self) -> str:
        return "did:web:" + self.base.removeprefix("http://").replace(":", "%3A")

    # The people

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        """Signed in with an app password; the same tokens each time until they run out."""
        account = self.person(name)
        access, refresh = self.state.ready.get(account.did, ("", ""))
        token = self.state.tokens.get(access)
        if token is None or token.expires <= self.store.now().timestamp():
            access, refresh = self.state.ready[account.did] = self.tokens.pair(account.did)
        return {
            "server": self.base,
            "remote_id": account.did,
            "handle": account.handle,
            "credentials": {"access": access, "refresh": refresh, "did": account.did},
            "password": account.password,
            "plc_url": self.base,
            "hosts": {"video": self.base},
        }

    def expire_tokens(self) -> int:
        ended = [token for token in self.state.tokens.values() if not token.refresh]
        for token in ended:
            token.expires = 0.0
        return len(ended)

    def person(self, name: str) -> Account:
        """By DID or handle, or by a name: "Chloé Martin" is @chloe-martin.test."""
        if (found := self.store.find(name)) is not None:
            return found
        return self.store.account(handle_of(name), name=name)

    def _write(self, by: Account, collection: str, value: dict[str, Any], moment: datetime | None = None) -> Record:
        value = {"$type": collection, **value, "createdAt": iso(moment or self.store.now())}
        record, what = self.store.put(by.did, collection, None, value)
        self.repo.note(by, record, what)
        return record

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        person, value = self.person(by), {"text": text}
        match kind:
            case "reply" | "quote" if to is not None:
                value |= self._about(to, kind)
            case "direct" if to is not None:
                return self.chat.say(person, self.chat.convo(person.did, self.person(to).did), text).id
            case "mention" if to is not None:
                value = self._naming(self.person(to), text)
            case "reply" | "post" if to is None:
                pass
            case _:
                raise ValueError(f"nobody says a {kind} on this network")
        return self._write(person, POST, value).uri

    def _about(self, uri: str, kind: str) -> dict[str, Any]:
        record = self.state.records[uri]
        ref = {"uri": uri, "cid": record.cid}
        if kind == "quote":
            return {"embed": {"$type": "app.bsky.embed.record", "record": ref}}
        above = record.value.get("reply")
        return {"reply": {"root": above["root"] if above else ref, "parent": ref}}

    def _naming(self, account: Account, text: str) -> dict[str, Any]:
        name = f"@{account.handle}"
        if name not in text:
            text = f"{name} {text}"
        start = len(text[: text.index(name)].encode())
        feature = {"$type": "app.bsky.richtext.facet#mention", "did": account.did}
        index = {"byteStart": start, "byteEnd": start + len(name)}
        return {"text": text, "facets": [{"index": index, "features": [feature]}]}

    def like(self, *, by: str, post_id: str) -> None:
        self._react(LIKE, by, post_id)

    def share(self, *, by: str, post_id: str) -> bool:
        self._react(REPOST, by, post_id)
        return True

    def _react(self, collection: str, by: str, post_id: str) -> None:
        person, record = self.person(by), self.state.records[post_id]
        reactions = self.store.reactions(post_id)
        if person.did not in (reactions.likes if collection == LIKE else reactions.reposts):
            self._write(person, collection, {"subject": {"uri": post_id, "cid": record.cid}})

    def follow(self, *, by: str, account: str) -> None:
        person, whom = self.person(by), self.person(account)
        if person.did not in self.state.followers.get(whom.did, {}):
            self._write(person, FOLLOW, {"subject": whom.did})

    def unfollow(self, *, by: str, account: str) -> bool:
        uri = self.state.followers.get(self.person(account).did, {}).get(self.person(by).did)
        if uri is not None:
            self.store.delete(uri)
        return True

    def texts(self, account: str | None = None) -> list[str]:
        return [record.value["text"] for record in self.store.posts_of(self.person(account or "regie").did)]

    def posts(self, account: str | None = None) -> list[str]:
        return [record.uri for record in self.store.posts_of(self.person(account or "regie").did)]


def handle_of(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.removeprefix("@")).encode("ascii", "ignore").decode().lower()
    label = re.sub(r"[^a-z0-9]+", "-", plain.removesuffix(".test")).strip("-")[:60]
    if not label:  # a name in another script
        label = "person-" + "".join(f"{ord(char):x}" for char in name)[:40]
    return f"{label}.test"
