"""One request to a Mastodon-API server, and what its status means. Source: docs.joinmastodon.org/api/guidelines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import aiohttp
from pydantic import BaseModel, TypeAdapter, ValidationError

from regie.networks.data import Login
from regie.networks.errors import Gone, Refused, SignInAgain, TryLater, Unclear
from regie.networks.line import Answer, Reader, read, write
from regie.networks.mastodon.entities import Said

NETWORK = "Mastodon"
KEEPS_CONNECTIONS = frozenset(("mastodon", "glitch-soc", "hometown", "pleroma", "akkoma", "gotosocial"))
"""Software seen to announce when it closes a connection. Others (snac) just do, so each request gets its own."""

E = TypeVar("E", bound=BaseModel)


def says(answer: Answer) -> str:
    """The server's own sentence, or its status when it has none."""
    try:
        said = Said.model_validate_json(answer.body)
    except ValidationError:
        return f"status {answer.status}"
    return said.error_description or said.error or f"status {answer.status}"


def not_before(answer: Answer) -> datetime | None:
    """When the server will listen again: X-RateLimit-Reset (ISO date or epoch), or Retry-After (seconds or date)."""
    reset = answer.headers.get("x-ratelimit-reset", "")
    for parse in (_iso, _epoch):
        if (moment := parse(reset)) is not None:
            return moment
    return answer.retry_at


def _iso(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _epoch(value: str) -> datetime | None:
    return datetime.fromtimestamp(int(value), UTC) if value.isdigit() else None


def about_the_token(answer: Answer) -> bool:
    """Whether a 403 means this token (its scopes, its owner's sign-in) and not this one request."""
    said = says(answer).lower()
    return any(word in said for word in ("scope", "login is currently disabled", "pending approval", "confirm your"))


def must_be_fine(answer: Answer, *, addressed: bool = False) -> None:
    """Raise what a status means. ``addressed``: the path names one object, so 404 is that object's."""
    status = answer.status
    if 200 <= status < 300:
        return
    if status == 401 or (status == 403 and about_the_token(answer)):
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK, answer=answer)
    if status == 429:
        raise TryLater(
            "{network} asked us to slow down.", network=NETWORK, not_before=not_before(answer), answer=answer
        )
    if status == 408 or status >= 500:
        raise TryLater("{network} has trouble at the moment.", network=NETWORK, answer=answer)
    if status in (404, 410) and addressed:
        raise Gone("{network} no longer has it.", network=NETWORK, answer=answer)
    if 300 <= status < 400 or _is_page(answer):
        raise not_a_server(answer)
    raise Refused("{network} said: {reason}", network=NETWORK, reason=says(answer), answer=answer)


def not_a_server(answer: Answer) -> Refused:
    """What we say of an address that redirects, or that answers with a web page."""
    if 300 <= answer.status < 400:
        return Refused(
            "This address only leads elsewhere; give the address of the {network} server itself.",
            network=NETWORK,
            answer=answer,
        )
    return Refused("This address is not a {network} server.", network=NETWORK, answer=answer)


def _is_page(answer: Answer) -> bool:
    return answer.body.lstrip()[:1] == b"<"


def parsed(answer: Answer, entity: type[E]) -> E:
    """The entity in an answer to a question."""
    try:
        return entity.model_validate_json(answer.body)
    except ValidationError:
        raise not_a_server(answer) from None


def parsed_list(answer: Answer, entity: type[E]) -> list[E]:
    try:
        return TypeAdapter(list[entity]).validate_json(answer.body)  # type: ignore[valid-type]
    except ValidationError:
        raise not_a_server(answer) from None


written = Reader(NETWORK).written


class Wire:
    """One account's line to its server: address, token, and how this server's connections behave."""

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self._http, self._login = http, login
        self.software = str(login.limits.get("software", ""))
        self._fresh = self.software not in KEEPS_CONNECTIONS

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._login.credentials.get('access_token', '')}"}

    def _url(self, path: str) -> str:
        return f"{self._login.server.rstrip('/')}{path}"

    async def get(self, path: str, params: Sequence[tuple[str, str]] = (), *, addressed: bool = False) -> Answer:
        """A question."""
        answer = await self.tell(path, params=list(params))
        must_be_fine(answer, addressed=addressed)
        return answer

    async def tell(self, path: str, *, method: str = "GET", **body: Any) -> Answer:
        """The answer whatever its status below 500, to a request that is safe to repeat."""
        return await read(
            self._http, method, self._url(path), network=NETWORK, headers=self.headers(), fresh=self._fresh, **body
        )

    async def send(self, method: str, path: str, *, addressed: bool = False) -> Answer:
        """A request that nobody sees twice: a like, a deletion. Every failure on the way is TryLater."""
        answer = await self.tell(path, method=method)
        must_be_fine(answer, addressed=addressed)
        return answer

    async def publish(
        self, method: str, path: str, *, key: str, repeatable: bool, fields: dict[str, Any], addressed: bool
    ) -> Answer:
        """The visible call."""
        body: dict[str, Any] = {"data": as_form(fields)} if self.software == "snac" else {"json": fields}
        answer = await write(
            self._http,
            method,
            self._url(path),
            network=NETWORK,
            repeatable=repeatable,
            headers={**self.headers(), **({"Idempotency-Key": key} if key else {})},
            fresh=self._fresh,
            **body,
        )
        if answer.status == 408 and not repeatable:
            raise Unclear("{network} did not answer, and may have taken it.", network=NETWORK, answer=answer)
        must_be_fine(answer, addressed=addressed)
        return answer


def as_form(fields: dict[str, Any], within: str = "") -> list[tuple[str, str]]:
    """The same fields as a form, as Rails reads them: ``poll[options][]=...``."""
    pairs: list[tuple[str, str]] = []
    for name, value in fields.items():
        where = f"{within}[{name}]" if within else name
        if isinstance(value, dict):
            pairs += as_form(value, where)
        elif isinstance(value, list | tuple):
            pairs += [(f"{where}[]", str(item)) for item in value]
        elif isinstance(value, bool):
            pairs.append((where, "true" if value else "false"))
        else:
            pairs.append((where, str(value)))
    return pairs
