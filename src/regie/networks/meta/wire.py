"""One request to Meta's Graph API, and what its errors mean. Source: api-contracts and the notes of each connector.

Every vendor host can be stood in for by one server: an address that is none of Meta's own serves all of them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import aiohttp
from pydantic import BaseModel, ConfigDict, ValidationError

from regie.networks.data import Picture
from regie.networks.errors import Gone, Refused, SignInAgain, TryLater, Unclear
from regie.networks.line import Answer, Reader, read, write

VERSION = "v25.0"
NEXT_VERSION = "v26.0"  # for what only it has: who made it, who paid for it
FACEBOOK, INSTAGRAM = "https://graph.facebook.com", "https://graph.instagram.com"
THREADS = "https://graph.threads.net"
BESIDE = {  # the vendor's other hosts, by the API they go with
    FACEBOOK: {"page": "https://www.facebook.com", "upload": "https://rupload.facebook.com", "token": FACEBOOK},
    INSTAGRAM: {"page": "https://www.instagram.com", "token": "https://api.instagram.com"},
    THREADS: {"page": "https://threads.com"},
}
SLOW_DOWN = frozenset((4, 17, 32, 613, *range(80000, 80015)))  # the last ones by kind of business: 80002 is Instagram
DEAD_TOKEN = frozenset((102, 190, 463, 467))
NO_PERMISSION = frozenset((3, 10, *range(200, 300)))
GONE = frozenset(((100, 33), (24, 2207006), (803, 0), (100, 2018001)))
THEIR_TROUBLE = frozenset((1, 2, -1, -2))
NO_WINDOW = frozenset((2018278, 2534022, 2018109))
NO_FILES: Mapping[str, Picture] = {}
SPOKEN = ("/comments", "/replies", "/mentions", "/messages")  # without the right to them, posts still go out

UPLOAD_TIME = aiohttp.ClientTimeout(total=1800, sock_connect=10, sock_read=120)

E = TypeVar("E", bound=BaseModel)


class Entity(BaseModel):
    """What comes from Meta, as far as we read it."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, frozen=True)


class Said(Entity):
    """The vendor's error."""

    message: str = ""
    type: str = ""
    code: int = 0
    error_subcode: int = 0
    is_transient: bool = False
    error_user_title: str | None = None
    error_user_msg: str | None = None

    @property
    def words(self) -> str:
        return self.error_user_msg or self.message or f"error {self.code}"


class _Body(Entity):
    error: Said


class Id(Entity):
    id: str


def host_beside(server: str, role: str) -> str:
    """The vendor's host for a role (page, token, upload) beside an API; a stand-in serves all by itself."""
    return BESIDE.get(server.rstrip("/"), {}).get(role, server.rstrip("/"))


def error_in(answer: Answer) -> Said | None:
    try:
        return _Body.model_validate_json(answer.body).error
    except ValidationError:
        return None


def not_before(answer: Answer) -> datetime | None:
    """When Meta will listen again: the longest ``estimated_time_to_regain_access`` (minutes), or Retry-After."""
    minutes = [*_minutes(answer.headers.get("x-business-use-case-usage", "")), 0]
    if max(minutes) > 0:
        return answer.now + timedelta(minutes=max(minutes))
    return answer.retry_at


def _minutes(header: str) -> list[float]:
    try:
        usage = json.loads(header or "{}")
        return [float(one.get("estimated_time_to_regain_access") or 0) for many in usage.values() for one in many]
    except (ValueError, AttributeError, TypeError):
        return []


def must_be_fine(answer: Answer, *, network: str, addressed: bool = False, vital: bool = False) -> None:
    """Raise what an answer means.

    addressed: the path names one object, so "not there" is that object's
    vital:     without the permission for this, the account is of no use: connect it again
    """
    if 200 <= answer.status < 300:
        return
    said = error_in(answer)
    if said is None:
        _must_be_graph(answer, network)
        said = Said(message=f"status {answer.status}")
    facts: dict[str, Any] = {"network": network, "answer": answer}
    if answer.status == 401 or said.code in DEAD_TOKEN:
        raise SignInAgain("{network} asks you to connect this account again.", **facts)
    if answer.status == 429 or (said.code in SLOW_DOWN and said.error_subcode != 2207051):
        raise TryLater("{network} asked us to slow down.", not_before=not_before(answer), **facts)
    if (said.code, said.error_subcode) in GONE or (answer.status == 404 and addressed):
        raise Gone("{network} no longer has it.", **facts)
    if said.error_subcode in NO_WINDOW or said.code == 551:
        raise Refused("{network} no longer takes answers to this person: their time is over.", **facts)
    if said.code in NO_PERMISSION:
        raised = SignInAgain if vital else Refused
        raise raised("{network} says that a permission is missing: {reason}", reason=said.words, **facts)
    if said.is_transient or (said.code in THEIR_TROUBLE and answer.status >= 400 and said.type):
        raise TryLater("{network} has trouble at the moment.", **facts)
    raise Refused("{network} said: {reason}", reason=said.words, **facts)


def _must_be_graph(answer: Answer, network: str) -> None:
    if 300 <= answer.status < 400 or answer.body.lstrip()[:1] == b"<":
        raise not_graph(answer, network)


def not_graph(answer: Answer, network: str) -> Refused:
    return Reader(network).not_its_api(answer)


def parsed(answer: Answer, entity: type[E], *, network: str) -> E:
    return Reader(network).parsed(answer, entity)


def written(answer: Answer, entity: type[E], *, network: str) -> E:
    return Reader(network).written(answer, entity)


def proof_of(token: str, secret: str) -> str:
    """``appsecret_proof``: the token, signed with our secret, for apps that ask for it."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def _form(fields: Mapping[str, Any], files: Mapping[str, Picture]) -> aiohttp.FormData:
    """What is no text is JSON in a form. Pictures whole in memory: they are a few megabytes."""
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    for name, picture in files.items():
        form.add_field(name, picture.path.read_bytes(), filename=picture.path.name, content_type=picture.content_type)
    return form


class Graph:
    """One token's line to one Graph API. ``secret``: our app's, when its calls are to carry a proof of it."""

    def __init__(self, http: aiohttp.ClientSession, *, server: str, token: str, network: str, secret: str = "") -> None:
        self.http, self.server, self.network = http, server.rstrip("/"), network
        self._token, self._secret = token, secret

    def url(self, path: str, version: str = VERSION) -> str:
        return f"{self.server}/{version}{path}"

    def _request(self, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        proof = {"appsecret_proof": proof_of(self._token, self._secret)} if self._secret else {}
        return {"headers": {"Authorization": f"Bearer {self._token}"}, "params": {**(params or {}), **proof}}

    async def get(
        self, path: str, params: Mapping[str, str] | None = None, *, addressed: bool = False, vital: bool = False
    ) -> Answer:
        """A question."""
        answer = await read(self.http, "GET", self.url(path), network=self.network, **self._request(params))
        must_be_fine(answer, network=self.network, addressed=addressed, vital=vital)
        return answer

    async def do(
        self,
        method: str,
        path: str,
        fields: Mapping[str, Any] | None = None,
        *,
        addressed: bool = False,
        vital: bool = False,
        version: str = VERSION,
    ) -> Answer:
        """A write that nobody sees, or that may be done twice: every failure on the way is TryLater."""
        body: dict[str, Any] = {"json": fields} if fields is not None else {}
        answer = await read(self.http, method, self.url(path, version), network=self.network, **self._request(), **body)
        must_be_fine(answer, network=self.network, addressed=addressed, vital=vital)
        return answer

    async def send(self, path: str, form: aiohttp.FormData) -> Answer:
        """Bytes in a form, that nobody sees yet: every failure on the way is TryLater."""
        answer = await read(
            self.http, "POST", self.url(path), network=self.network, data=form, timeout=UPLOAD_TIME, **self._request()
        )
        must_be_fine(answer, network=self.network, vital=True)
        return answer

    async def publish(
        self,
        path: str,
        fields: Mapping[str, Any],
        *,
        addressed: bool = False,
        method: str = "POST",
        version: str = VERSION,
        files: Mapping[str, Picture] = NO_FILES,
    ) -> Answer:
        """The visible call, as a form when files go with it. Meta's "unknown error, try again" may have been done:
        unclear, like silence."""
        answer = await write(
            self.http,
            method,
            self.url(path, version),
            network=self.network,
            repeatable=False,
            **({"data": _form(fields, files), "timeout": UPLOAD_TIME} if files else {"json": dict(fields)}),
            **self._request(),
        )
        said = error_in(answer)
        if said is not None and (said.is_transient or said.code in THEIR_TROUBLE) and answer.status != 429:
            raise Unclear("{network} had trouble, and may have taken it.", network=self.network, answer=answer)
        must_be_fine(answer, network=self.network, addressed=addressed, vital=not path.endswith(SPOKEN))
        return answer

    async def upload(self, url: str, path: Any, *, offset: int, size: int, addressed: bool = False) -> Answer:
        """The rest of a file from ``offset``, as the upload host takes it. Sending it twice harms nobody."""
        headers = {"Authorization": f"OAuth {self._token}", "offset": str(offset), "file_size": str(size)}
        with path.open("rb") as file:
            file.seek(offset)
            answer = await read(
                self.http, "POST", url, network=self.network, headers=headers, data=file, timeout=UPLOAD_TIME
            )
        must_be_fine(answer, network=self.network, addressed=addressed)
        return answer
