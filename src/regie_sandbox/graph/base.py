"""A sandbox network that speaks Graph: tokens, nodes, edges, fields, usage headers, webhooks with signatures."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from regie_sandbox.frame import Network, World
from regie_sandbox.graph.state import App, MetaState, Token
from regie_sandbox.graph.wire import (
    Field,
    Json,
    Trouble,
    answered,
    as_list,
    dead_token,
    fields_of,
    no_such,
    not_allowed,
    page_of,
    params_of,
    trouble_of,
)
from regie_sandbox.hooks import Hooks

VERSION = re.compile(r"^v\d+\.\d+$")
LARGEST_REQUEST = 400 * 1024 * 1024
LONG = timedelta(days=60)
SHORT = timedelta(hours=1)
DAY = timedelta(days=1)
PER_PAGE = 25
BEGINS = {"instagram": "IGAA", "threads": "THAA"}  # of a token, by its login


@dataclass
class Call:
    """One request: who asks what of which node. ``way``: which login's host was asked."""

    request: web.Request
    way: str
    parts: list[str]
    params: Json
    token: Token | None
    version: str = "v25.0"

    @property
    def method(self) -> str:
        """As the request's verb, or the one that a client tunnels."""
        return str(self.params.get("method") or self.request.method).upper()

    @property
    def holder(self) -> str:
        return self.bearer.holder

    @property
    def bearer(self) -> Token:
        if self.token is None:
            raise Trouble("An access token is required to request this resource.", 104, status=400)
        return self.token

    def must(self, *scopes: str) -> None:
        """Raises Trouble unless the token has one of these permissions."""
        if not set(scopes) & set(self.bearer.scopes):
            raise not_allowed(scopes[0])


Node = tuple[str, Any]  # kind, object
Edge = Callable[[Call, Any], Any]
Show = Callable[[Any], Any]


class GraphNetwork(Network):
    """``processing_seconds``: how long a video is worked on; ``fetches``: whether it really fetches the addresses that
    it is given; ``human_agent``: whether people who use our app may answer messages for seven days;
    ``calls_per_hour``: None for no rate limit; ``hooks.brought``: what was brought where."""

    state: MetaState
    platform = "graph"  # what business use case headers call it

    def __init__(self, world: World) -> None:
        self.processing_seconds = 0.0
        self.fetches = True
        self.human_agent = False
        self.calls_per_hour: int | None = None
        self._recent: dict[str, list[datetime]] = {}
        self.hooks = Hooks()
        super().__init__(world)

    # What a network has to say about itself

    deeds: Mapping[tuple[str, str, str], Edge] = {}  # (method, kind, edge) -> what it does; edge "" is the node
    fields: Mapping[str, Mapping[str, Show]] = {}  # kind -> field -> its value
    lists: Mapping[str, Mapping[str, Callable[[Any], tuple[str, Sequence[Any]]]]] = {}  # kind -> edge -> kind, objects

    @abstractmethod
    def signing_in(self, way: str, name: str) -> str:
        """Whose sign-in it is when somebody calls themselves ``name`` on a vendor's page: the token's holder."""

    @abstractmethod
    def find(self, object_id: str) -> Node | None:
        """The node of that id."""

    async def upload(self, call: Call) -> Any:
        """What is sent to the host for uploads."""
        raise no_such(call.parts[-1])

    # The wire

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.add_routes(self.pages())
        app.add_routes([web.route("*", "/{rest:.*}", self.call)])
        app.cleanup_ctx.append(self.hooks.while_served)
        return app

    def pages(self) -> list[web.RouteDef]:
        """Where people sign in, and where tokens are given."""
        from regie_sandbox.graph import oauth

        return oauth.routes(self)

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        trouble = trouble_of(status, headers=self.usage_headers("0", minutes=5, calls=100))
        return trouble.headers, trouble.body

    def usage_headers(self, account: str, *, minutes: int = 0, calls: int = 1) -> dict[str, str]:
        usage = {"call_count": calls, "total_cputime": 1, "total_time": 1}
        case = {**usage, "type": self.platform, "estimated_time_to_regain_access": minutes}
        return {"X-App-Usage": json.dumps(usage), "X-Business-Use-Case-Usage": json.dumps({account: [case]})}

    async def call(self, request: web.Request) -> web.StreamResponse:
        self.state.calls += 1
        headers: dict[str, str] = {}
        try:
            call = await self._read(request)
            headers = self._count(call)
            answer = await self.answer(call)
        except Trouble as trouble:
            return answered(trouble.body, status=trouble.status, headers={**headers, **trouble.headers})
        return answer if isinstance(answer, web.StreamResponse) else answered(answer, headers=headers)

    async def _read(self, request: web.Request) -> Call:
        parts = [part for part in request.match_info.get("rest", request.path).split("/") if part]
        way = "facebook" if parts[:1] == ["facebook"] else self.platform
        parts = parts[1:] if parts[:1] == ["facebook"] else parts
        version = parts[0] if parts and VERSION.match(parts[0]) else "v25.0"
        parts = parts[1:] if parts and VERSION.match(parts[0]) else parts
        uploads = bool(parts) and parts[0].endswith("-upload")
        params = dict(request.query) if uploads else await params_of(request)
        return Call(request, way, parts, params, self._token(request, params), version)

    def _token(self, request: web.Request, params: Json) -> Token | None:
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        value = value if kind in ("Bearer", "OAuth") else str(params.get("access_token", ""))
        if not value:
            return None
        if (token := self.state.tokens.get(value)) is None:
            if value.partition("|")[0] in self.state.apps:
                return self._app_token(value)
            raise Trouble("Invalid OAuth access token - Cannot parse access token", 190, status=401)
        if token.until is not None and token.until <= self.now():
            raise dead_token()
        proof, secret = params.get("appsecret_proof"), self.state.apps[token.app].secret
        if proof and proof != hmac.new(secret.encode(), value.encode(), hashlib.sha256).hexdigest():
            raise Trouble("Invalid appsecret_proof provided in the API argument", 100, kind="GraphMethodException")
        return token

    def _app_token(self, value: str) -> Token:
        app_id, _, secret = value.partition("|")
        if not secrets.compare_digest(self.state.apps[app_id].secret, secret):
            raise Trouble("Invalid OAuth access token signature.", 190, status=401)
        return Token(app_id, app_id, "app", [], self.now())

    def _count(self, call: Call) -> dict[str, str]:
        account = call.token.holder if call.token is not None else "0"
        if self.calls_per_hour is None:
            return self.usage_headers(account)
        now = self.now()
        recent = [at for at in self._recent.get(account, ()) if at > now - timedelta(hours=1)]
        self._recent[account] = [*recent, now]
        if len(recent) >= self.calls_per_hour:
            minutes = int((recent[0] + timedelta(hours=1) - now).total_seconds() // 60) + 1
            raise Trouble(
                "(#80002) There have been too many calls to this account. Wait a bit and try again.",
                80002,
                2446079,
                headers=self.usage_headers(account, minutes=minutes, calls=100),
            )
        return self.usage_headers(account, calls=100 * len(recent) // self.calls_per_hour)

    async def answer(self, call: Call) -> Any:
        """The node's own deed, its edge, or plain reading."""
        if not call.parts:
            raise Trouble("Unsupported get request.", 100)
        first, edge = call.parts[0], "/".join(call.parts[1:])
        if first.endswith("-upload"):
            return await self.upload(call)
        node = self.find(call.holder if first == "me" else first)
        call.bearer  # noqa: B018 - nothing is shown without one
        if node is None:
            raise no_such(first)
        kind, found = node
        if (deed := self.deeds.get((call.method, kind, edge))) is not None:
            return await _done(deed(call, found))
        if call.method != "GET":
            raise Trouble(f"Unsupported {call.method.lower()} request. Edge ({edge}) of {kind}.", 100, 33)
        if not edge:
            return self.show(kind, found, fields_of(str(call.params.get("fields", "id"))), call)
        return self.edge(call, kind, found, edge)

    def edge(self, call: Call, kind: str, found: Any, name: str) -> Json:
        if (lists := self.lists.get(kind, {}).get(name)) is None:
            raise Trouble(f"(#100) Tried accessing nonexisting field ({name}) on node type ({kind})", 100)
        inner, objects = lists(found)
        wanted = fields_of(str(call.params.get("fields", "id")))
        return self.page(call, inner, list(objects), wanted, call.params)

    def page(self, call: Call, kind: str, objects: list[Any], wanted: list[Field], args: Mapping[str, Any]) -> Json:
        limit = int(args.get("limit") or PER_PAGE)
        objects = objects[::-1] if args.get("order") == "reverse_chronological" else objects
        some, paging = page_of(
            objects, limit=limit, after=str(args.get("after", "")), address=f"{self.base}{call.request.path_qs}"
        )
        body: Json = {"data": [self.show(kind, one, wanted, call) for one in some]}
        return {**body, "paging": paging} if paging else body

    def show(self, kind: str, found: Any, wanted: list[Field], call: Call) -> Json:
        """The node with the fields asked for; a field without a value is left out, as Meta does."""
        shown: Json = {}
        for one in wanted:
            if (edge := self.lists.get(kind, {}).get(one.name)) is not None:
                inner, objects = edge(found)
                if objects or one.name == "data":
                    shown[one.name] = self.page(call, inner, list(objects), one.inner or [Field("id")], one.args)
            elif (value := self.fields.get(kind, {}).get(one.name)) is not None:
                told = value(found)
                if isinstance(told, tuple):  # another node
                    told = self.show(told[0], told[1], one.inner or [Field("id")], call)
                if told is not None:
                    shown[one.name] = told
            else:
                raise Trouble(f"(#100) Tried accessing nonexisting field ({one.name}) on node type ({kind})", 100)
        if "id" not in shown and "id" in self.fields.get(kind, {}):
            shown["id"] = self.fields[kind]["id"](found)
        return shown

    # What all have in common

    def now(self) -> datetime:
        return self.world.clock.now()

    def new_id(self) -> str:
        self.state.last_id += secrets.randbelow(900) + 1
        return str(self.state.last_id)

    def make_app(self, name: str = "Régie") -> App:
        """The registration that ready accounts are connected with."""
        known = next(iter(self.state.apps.values()), None)
        if known is None:
            known = App(str(10**15 + secrets.randbelow(10**14)), secrets.token_hex(16), name)
            self.state.apps[known.id] = known
        return known

    def make_token(
        self, holder: str, app: App, way: str, scopes: Sequence[str], *, lasts: timedelta | None = LONG
    ) -> str:
        value = f"{BEGINS.get(way, 'EAA')}{secrets.token_urlsafe(40)}"
        now = self.now()
        self.state.tokens[value] = Token(
            holder, app.id, way, list(scopes), now, now + lasts if lasts else None, long=lasts != SHORT
        )
        return value

    def listed(self, at: datetime) -> bool:
        """Whether listings show it already (``faults.listing_lag``)."""
        return self.now() - at >= timedelta(seconds=self.faults.listing_lag)

    async def fetch(self, url: str) -> bytes:
        """What an address holds, as Meta's own servers would get it. Raises LookupError when they would not."""
        if not url.startswith(("https://", "http://")):
            raise LookupError(url)
        try:
            async with self.hooks.http.get(url, allow_redirects=True) as reply:
                if reply.status != 200:
                    raise LookupError(f"status {reply.status}")
                return await reply.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            raise LookupError(url) from exc

    def permissions(self, call: Call, _: Any) -> Json:
        """What the person left ticked."""
        return {"data": [{"permission": one, "status": "granted"} for one in call.bearer.scopes]}

    def window(self, call: Call) -> timedelta:
        """For how long after their last word people may be written to, as the message says of itself."""
        if call.params.get("messaging_type") != "MESSAGE_TAG":
            return DAY
        if call.params.get("tag") != "HUMAN_AGENT":
            raise Trouble("(#100) Invalid parameter tag", 100)
        if not self.human_agent:
            raise Trouble("(#10) To use 'Human Agent', your use of this endpoint must be reviewed", 10, 2018278)
        return 7 * DAY

    # Webhooks

    def tell(self, about: str, what: str, entry: Json, *, field: str) -> None:
        """Bring news of an account to the apps that asked for it. ``entry``: all but id and time."""
        if field not in self.state.subscribed.get(about, ()):
            return
        unit = 1000 if "messaging" in entry else 1  # messages are told in milliseconds, changes in seconds
        body = {"object": what, "entry": [{"id": about, "time": int(self.now().timestamp() * unit), **entry}]}
        for app in self.state.apps.values():
            if app.callback_url and field in app.objects.get(what, ()):
                self.bring(app, body)

    def bring(self, app: App, body: Json) -> None:
        """Deliver to an app's callback, signed. May be called from any thread."""
        raw = json.dumps(body, ensure_ascii=False).encode()
        sign = hmac.new(app.secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={sign}"}
        self.hooks.bring(app.callback_url, raw, headers)

    async def subscribe_app(self, call: Call, app: App) -> Json:
        """As the vendor's dashboard or an app token does it: with the handshake."""
        if call.holder != app.id:
            raise Trouble("(#15) This method must be called with an app access_token.", 15)
        url, token = str(call.params.get("callback_url", "")), str(call.params.get("verify_token", ""))
        await self.check_callback(url, token)
        app.callback_url, app.verify_token = url, token
        app.objects[str(call.params.get("object"))] = [str(one) for one in as_list(call.params.get("fields"))]
        return {"success": True}

    async def check_callback(self, url: str, verify_token: str) -> None:
        """The handshake. Raises Trouble when the address does not echo the challenge."""
        challenge = str(secrets.randbelow(10**9))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
        try:
            async with self.hooks.http.get(url, params=query) as reply:
                echoed = reply.status == 200 and (await reply.text()) == challenge
        except (aiohttp.ClientError, TimeoutError, OSError):
            echoed = False
        if not echoed:
            raise Trouble(
                "(#2200) Callback verification failed with the following errors: HTTP Status Code = 403", 2200
            )


async def _done(value: Any) -> Any:
    return await value if isinstance(value, Awaitable) else value
