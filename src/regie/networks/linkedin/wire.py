"""One request to LinkedIn, and what its errors mean. Sources: NOTES.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from pydantic import ValidationError
from yarl import URL

from regie.networks.capabilities import Capabilities
from regie.networks.data import Login
from regie.networks.errors import Gone, Refused, SignInAgain, TokenExpired, TryLater
from regie.networks.line import Answer, Reader, read, write
from regie.networks.linkedin.entities import Said
from regie.networks.linkedin.limits import can_on

NETWORK = "LinkedIn"
API, PAGES = "https://api.linkedin.com", "https://www.linkedin.com"
SHARE = f"{API}/v2"  # the same API, through an app that may publish for its own member only
VERSION = "202609"
PAGE_URN, MEMBER_URN = "urn:li:organization:", "urn:li:person:"
ID = "x-restli-id"
UPLOAD_TIME = aiohttp.ClientTimeout(total=1800, sock_connect=10, sock_read=120)


def key(urn: str) -> str:
    """An urn as Rest.li wants it in paths and queries: ``%3A`` for each colon, brackets and commas hidden too."""
    return quote(urn, safe="")


def base_of(server: str) -> str:
    """Where the API is: the vendor's own has one host for both kinds of app; a stand-in keeps its path."""
    return API if server.rstrip("/") in (API, SHARE) else server.rstrip("/")


def pages_of(server: str) -> str:
    """Where people sign in; a stand-in serves that too."""
    return PAGES if base_of(server) == API else base_of(server)


def post_at(server: str, urn: str) -> str:
    """Where people read a post."""
    return f"{pages_of(server)}/feed/update/{urn}/"


def comment_at(server: str, post: str, urn: str) -> str:
    return f"{post_at(server, post)}?commentUrn={key(urn)}"


def member_at(server: str, vanity: str) -> str:
    """A member's profile; "" for those whose name there LinkedIn does not tell."""
    return f"{pages_of(server)}/in/{vanity}/" if vanity else ""


def page_at(server: str, vanity: str) -> str:
    return f"{pages_of(server)}/company/{vanity}/"


def is_share(server: str) -> bool:
    """Whether the app at that address has only what every app gets: publishing for the member who signed in."""
    return server.rstrip("/") == SHARE or server.rstrip("/").endswith("/profile")


def said_in(answer: Answer) -> Said | None:
    try:
        return Said.model_validate_json(answer.body)
    except ValidationError:
        return None


def not_before(answer: Answer, said: Said | None) -> datetime:
    """LinkedIn tells no moment: what it counts by the day is free again at midnight UTC."""
    if answer.retry_at is not None:
        return answer.retry_at
    now = answer.now
    if said is not None and " DAY " in f" {said.message.upper()} ":
        return datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
    return now + timedelta(minutes=1)


@contextmanager
def counted_apart() -> Iterator[None]:
    """For questions: LinkedIn counts each resource by itself, so that one's day being over does not end publishing.

    Whoever asked comes back after a pause of their own.
    """
    try:
        yield
    except TryLater as exc:
        exc.not_before = None
        raise


def must_be_fine(
    answer: Answer, *, addressed: bool = False, vital: bool = False, renews: bool = False, version: str = VERSION
) -> None:
    """Raise what an answer means.

    addressed: the path names one object, so "not there" is that object's
    vital:     without the permission for this, the account is of no use: connect it again
    renews:    we have the means to trade the token for a fresh one
    """
    if 200 <= answer.status < 300:
        return
    said = said_in(answer)
    facts: dict[str, Any] = {"network": NETWORK, "answer": answer}
    match answer.status:
        case 401 if renews and said is not None and said.code == "EXPIRED_ACCESS_TOKEN":
            raise TokenExpired("{network} asks for a fresh sign-in.", **facts)
        case 401:
            raise SignInAgain("{network} asks you to connect this account again.", **facts)
        case 429:
            raise TryLater("{network} asked us to slow down.", not_before=not_before(answer, said), **facts)
        case 426:
            raise TryLater(
                "{network} no longer speaks version {version} of its API: enter a newer one as "
                "REGIE_NETWORKS__LINKEDIN__VERSION.",
                version=version,
                **facts,
            )
        case 404 | 410 if addressed and said is not None:
            raise Gone("{network} no longer has it.", **facts)
    if 300 <= answer.status < 400 or answer.body.lstrip()[:1] == b"<":
        raise not_its_api(answer)
    reason = (said.message or said.code if said is not None else "") or f"status {answer.status}"
    if answer.status == 403:
        raised = SignInAgain if vital else Refused
        raise raised("{network} says that a permission is missing: {reason}", reason=reason, **facts)
    if "duplicate" in reason.lower():
        raise Refused(
            "{network} takes the same text only once, and has this one already ({reason}).", reason=reason, **facts
        )
    raise Refused("{network} said: {reason}", reason=reason, **facts)


answers = Reader(NETWORK)
not_its_api, parsed, unreadable = answers.not_its_api, answers.parsed, answers.unreadable


class Wire:
    """One account's line. ``me``: its urn."""

    def __init__(self, http: aiohttp.ClientSession, login: Login, *, version: str = VERSION) -> None:
        self.http, self.login, self.version = http, login, version
        self.me = login.remote_id
        self.base = base_of(login.server)

    @property
    def is_page(self) -> bool:
        return self.me.startswith(PAGE_URN)

    @property
    def can(self) -> Capabilities:
        """What this account can do."""
        return can_on({"kind": "page" if self.is_page else "profile", **self.login.limits})

    def headers(self, method: str = "") -> dict[str, str]:
        """``method``: Rest.li's own word for what is asked, where the verb does not tell."""
        return {
            "Authorization": f"Bearer {self.login.credentials.get('access_token', '')}",
            "LinkedIn-Version": self.version,
            "X-Restli-Protocol-Version": "2.0.0",
            **({"X-RestLi-Method": method} if method else {}),
        }

    def url(self, path: str) -> URL:
        return URL(f"{self.base}{path}", encoded=True)

    def _fine(self, answer: Answer, *, addressed: bool, vital: bool = False) -> Answer:
        renews = bool(self.login.credentials.get("refresh_token"))
        must_be_fine(answer, addressed=addressed, vital=vital, renews=renews, version=self.version)
        return answer

    async def get(self, path: str, *, addressed: bool = False, vital: bool = False, method: str = "") -> Answer:
        """A question. ``path`` with its query, both ready for the wire."""
        answer = await read(self.http, "GET", self.url(path), network=NETWORK, headers=self.headers(method))
        return self._fine(answer, addressed=addressed, vital=vital)

    async def do(
        self,
        verb: str,
        path: str,
        fields: Mapping[str, Any] | None = None,
        *,
        addressed: bool = False,
        vital: bool = False,
        method: str = "",
    ) -> Answer:
        """A write that nobody sees, or that may be done twice: every failure on the way is TryLater."""
        body: dict[str, Any] = {"json": fields} if fields is not None else {}
        answer = await read(self.http, verb, self.url(path), network=NETWORK, headers=self.headers(method), **body)
        return self._fine(answer, addressed=addressed, vital=vital)

    async def publish(self, path: str, fields: Mapping[str, Any], *, addressed: bool = False) -> Answer:
        """The visible call. LinkedIn knows no key for a repeat."""
        answer = await write(
            self.http,
            "POST",
            self.url(path),
            network=NETWORK,
            repeatable=False,
            headers=self.headers(),
            json=dict(fields),
        )
        return self._fine(answer, addressed=addressed, vital=True)

    async def bring(self, verb: str, url: str, data: Any, *, content_type: str = "", family: str = "") -> Answer:
        """Bytes to an address that LinkedIn named for them. Sending them twice harms nobody."""
        if not self._is_theirs(url):
            raise Refused("{network} named an address for uploads that is not its own.", network=NETWORK)
        headers = {"Authorization": self.headers()["Authorization"]}
        headers |= {"Content-Type": content_type} if content_type else {}
        headers |= {"media-type-family": family} if family else {}
        data = BytesIO(data) if isinstance(data, bytes) else data  # aiohttp sends large bytes in one go otherwise
        where = URL(url, encoded=True)
        shown = str(where.with_query(None))
        answer = await read(
            self.http, verb, where, network=NETWORK, shown_url=shown, headers=headers, data=data, timeout=UPLOAD_TIME
        )
        return self._fine(answer, addressed=True)

    def _is_theirs(self, url: str) -> bool:
        """Our token goes to LinkedIn's own hosts, or to the one that stands in for them."""
        there, here = urlsplit(url), urlsplit(self.base)
        if self.base != API:
            return (there.scheme, there.netloc) == (here.scheme, here.netloc)
        host = there.hostname or ""
        return there.scheme == "https" and (host == "linkedin.com" or host.endswith(".linkedin.com"))
