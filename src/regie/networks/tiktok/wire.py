"""One request to TikTok's open API, and what its errors mean; that for business accounts is in ``business``.


Each answer ends with an ``error`` whose code is "ok" when it was done, whatever the HTTP status says.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError

from regie.networks.data import Login
from regie.networks.errors import Gone, Refused, SignInAgain, TokenExpired, TryLater, Unclear
from regie.networks.line import Answer, Reader, read, write
from regie.networks.tiktok.entities import Body, Entity, Failure, Said

NETWORK = "TikTok"
OPEN, BUSINESS = "https://open.tiktokapis.com", "https://business-api.tiktok.com"
PAGE = "https://www.tiktok.com"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FULL_DAY = frozenset(("spam_risk_too_many_posts", "spam_risk_too_many_pending_share", "reached_active_user_cap"))
CANNOT_POST = FULL_DAY | {"spam_risk_user_banned_from_posting"}
NO_PERMISSION = frozenset(("scope_not_authorized", "scope_permission_missed"))
THEIR_TROUBLE = frozenset(("internal_error", "server_error", "temporarily_unavailable"))
GONE = frozenset(("invalid_publish_id", "token_not_authorized_for_specified_publish_id"))
UPLOAD_TIME = aiohttp.ClientTimeout(total=900, sock_connect=10, sock_read=120)

E = TypeVar("E", bound=BaseModel)


class _Told(Entity):
    error: Said


def page_beside(server: str) -> str:
    """Where people sign in: a stand-in serves that page itself."""
    return PAGE if server.rstrip("/") in (OPEN, BUSINESS) else server.rstrip("/")


def way_of(server: str) -> str:
    """Which login an address belongs to. A stand-in serves the API for business accounts below ``/business``."""
    return "business" if server.rstrip("/") == BUSINESS or server.rstrip("/").endswith("/business") else "tiktok"


def said_in(answer: Answer) -> Said | None:
    """The answer's ``error``, in any of the three shapes that TikTok gives it."""
    for shape in (_Told, Said, Failure):
        try:
            found = shape.model_validate_json(answer.body)
        except ValidationError:
            continue
        if isinstance(found, _Told):
            return found.error
        if isinstance(found, Failure):
            return Said(code=found.error, message=found.error_description)
        assert isinstance(found, Said)
        return found
    return None


def later(answer: Answer, by: timedelta) -> datetime:
    return answer.now + by


def must_be_fine(answer: Answer, *, vital: bool = False, refreshes: bool = False) -> None:
    """Raise what an answer means.

    vital:     without the permission for this, the account is of no use: connect it again
    refreshes: we hold a refresh token, so a dead token is traded for a fresh one. TikTok says the same of a token that
               ran out and of one that was revoked; the refresh tells them apart.
    """
    said = said_in(answer)
    if said is not None and said.code == "ok" and 200 <= answer.status < 300:
        return
    if said is None:
        if 300 <= answer.status < 400 or answer.status < 300 or answer.body.lstrip()[:1] == b"<":
            raise not_the_api(answer)
        said = Said(code="", message=f"status {answer.status}")
    facts: dict[str, Any] = {"network": NETWORK, "answer": answer}
    if said.code == "rate_limit_exceeded" or answer.status == 429:
        raise TryLater("{network} asked us to slow down.", not_before=later(answer, MINUTE), **facts)
    if said.code in NO_PERMISSION:
        if vital:
            raise SignInAgain("{network} says that a permission is missing: {reason}", reason=said.words, **facts)
        raise Refused("{network} says that a permission is missing: {reason}", reason=said.words, **facts)
    if said.code == "access_token_invalid" or answer.status == 401:
        if refreshes:
            raise TokenExpired("{network} wants a fresh token.", **facts)
        raise SignInAgain("{network} asks you to connect this account again.", **facts)
    if said.code in FULL_DAY:
        raise TryLater("{network} takes no more posts of this account today.", not_before=later(answer, HOUR), **facts)
    if said.code in THEIR_TROUBLE:
        raise TryLater("{network} has trouble at the moment.", **facts)
    if said.code in GONE:
        raise Gone("{network} no longer has it.", **facts)
    raise refusal(said.code, said.words, answer)


def refusal(code: str, words: str, answer: Answer | None) -> Refused:
    """In words of ours where a person can do something about it; TikTok's own otherwise."""
    facts: dict[str, Any] = {"network": NETWORK, "answer": answer}
    match code:
        case "unaudited_client_can_only_post_to_private_accounts":
            return Refused(
                "Until {network} has audited your app, it publishes only for accounts that are set to private.", **facts
            )
        case "url_ownership_unverified":
            return Refused(
                "{network} fetches pictures only from an address that you verified: add Régie's domain to the URL "
                "properties of your app at {network}.",
                **facts,
            )
        case "privacy_level_option_mismatch":
            return Refused("{network} does not let this account choose that visibility now. Choose again.", **facts)
        case "spam_risk_user_banned_from_posting":
            return Refused("{network} has banned this account from posting.", **facts)
        case "spam_risk" | "spam_risk_text":
            return Refused("{network} takes this post for spam.", **facts)
        case "spam_risk_too_many_posts":
            return Refused("{network} takes no more posts of this account today.", **facts)
        case "auth_removed":
            return Refused("The account withdrew our permission while {network} was working on the post.", **facts)
        case "photo_pull_failed" | "video_pull_failed":
            return Refused("{network} could not fetch the files from Régie's address.", **facts)
        case code if code.endswith("_check_failed"):  # of format, duration, frame rate, picture size
            return Refused("{network} could not use the file: {reason}", reason=words, **facts)
    return Refused("{network} said: {reason}", reason=words, **facts)


answers = Reader(NETWORK)
not_the_api = answers.not_its_api


def parsed(answer: Answer, entity: type[E]) -> E:
    """The ``data`` of an answer to a question."""
    try:
        return Body[entity].model_validate_json(answer.body).data  # type: ignore[valid-type]
    except ValidationError:
        raise not_the_api(answer) from None


def written(answer: Answer, entity: type[E]) -> E:
    """The ``data`` of the answer to a write that said yes. Unreadable: it may well be done."""
    try:
        return Body[entity].model_validate_json(answer.body).data  # type: ignore[valid-type]
    except ValidationError:
        raise answers.unreadable(answer) from None


class Wire:
    """One account's line. ``username``: as TikTok spells it in addresses; ``business``: through the other login."""

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self.http, self.login, self.server = http, login, login.server.rstrip("/")
        self.user = login.remote_id
        self.business = way_of(login.server) == "business"
        self.username = str(login.limits.get("username", ""))

    def may(self, scope: str) -> bool:
        """Whether the account's owner left a permission ticked; yes when we were never told."""
        scopes = self.login.limits.get("scopes")
        return not scopes or scope in scopes

    def _request(self) -> dict[str, Any]:
        return {"headers": {"Authorization": f"Bearer {self.login.credentials.get('access_token', '')}"}}

    @property
    def refreshes(self) -> bool:
        return bool(self.login.credentials.get("refresh_token"))

    async def get(self, path: str, params: Mapping[str, str]) -> Answer:
        answer = await read(self.http, "GET", f"{self.server}{path}", network=NETWORK, params=params, **self._request())
        must_be_fine(answer, vital=True, refreshes=self.refreshes)
        return answer

    async def ask(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        vital: bool = False,
    ) -> Answer:
        """A question, or something that nobody sees and that may be done twice: it is always a POST there."""
        answer = await read(
            self.http,
            "POST",
            f"{self.server}{path}",
            network=NETWORK,
            json=dict(body or {}),
            params=params or {},
            **self._request(),
        )
        must_be_fine(answer, vital=vital, refreshes=self.refreshes)
        return answer

    async def publish(self, path: str, body: Mapping[str, Any]) -> Answer:
        """A visible call."""
        answer = await write(
            self.http,
            "POST",
            f"{self.server}{path}",
            network=NETWORK,
            repeatable=False,
            json=dict(body),
            **self._request(),
        )
        said = said_in(answer)
        if said is not None and said.code in THEIR_TROUBLE:
            raise Unclear("{network} had trouble, and may have taken it.", network=NETWORK, answer=answer)
        if said is None and 200 <= answer.status < 300:
            raise answers.unreadable(answer)
        must_be_fine(answer, vital=True, refreshes=self.refreshes)
        return answer
