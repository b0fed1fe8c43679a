"""One channel's line to Google: addresses, errors, uploads that go on where they broke off. Sources: NOTES.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

import aiohttp
from pydantic import BaseModel, Field, ValidationError

from regie.networks.data import Login
from regie.networks.errors import Refused, SignInAgain, TryLater
from regie.networks.google import HOSTS, Answers, Entity, Line, Said
from regie.networks.line import Answer, read, write

NETWORK = "YouTube"
API = "https://youtube.googleapis.com"
BESIDE = {  # Google's other hosts
    **HOSTS,
    "analytics": "https://youtubeanalytics.googleapis.com",
    "watch": "https://www.youtube.com",
    "hub": "https://pubsubhubbub.appspot.com",
}
PACIFIC = ZoneInfo("America/Los_Angeles")  # where a day's quota begins anew at midnight
CHUNK = 8 * 1024 * 1024  # bytes at once; a multiple of STEP
STEP = 256 * 1024
UPLOAD_TIME = aiohttp.ClientTimeout(total=1800, sock_connect=10, sock_read=300)
HOURLY = timedelta(hours=1)

USED_UP = frozenset(("quotaExceeded", "dailyLimitExceeded"))
TOO_MANY = frozenset(("uploadLimitExceeded", "uploadRateLimitExceeded"))
DEAD = frozenset(
    (
        "youtubeSignupRequired",
        "authenticatedUserAccountClosed",
        "authenticatedUserAccountSuspended",
        "channelClosed",
        "channelSuspended",
        "ACCOUNT_STATE_INVALID",
    )
)
NO_COMMENTS = frozenset(("commentsDisabled",))

E = TypeVar("E", bound=BaseModel)


class Page(Entity):
    """A page of a list. ``items`` is left out where there are none, so ``kind`` tells that it is one."""

    kind: str
    items: tuple[dict[str, Any], ...] = ()
    next_page: str = Field(default="", alias="nextPageToken")


def host_beside(server: str, role: str) -> str:
    """Google's host for a role beside the API; a stand-in serves all by itself."""
    server = server.rstrip("/")
    return BESIDE[role] if server == API else server


def next_midnight(now: datetime) -> datetime:
    """When a used-up day's quota is whole again: midnight on the Pacific coast."""
    there = now.astimezone(PACIFIC)
    return datetime(there.year, there.month, there.day, tzinfo=PACIFIC) + timedelta(days=1)


class YouTubeAnswers(Answers):
    def special(self, answer: Answer, said: Said) -> None:
        """A channel's end, quotas that last a day, and comments that are switched off."""
        reasons = said.reasons
        facts: dict[str, Any] = {"network": self.network, "answer": answer}
        if reasons & DEAD:
            raise SignInAgain(
                "{network} says that this channel is closed or suspended: {reason}", reason=said.words, **facts
            )
        if reasons & USED_UP:
            raise TryLater(
                "Your app at Google has used up what {network} allows in a day.",
                not_before=next_midnight(answer.now),
                **facts,
            )
        if reasons & TOO_MANY:
            raise TryLater(
                "{network} takes no more uploads of this channel for now.", not_before=answer.now + HOURLY, **facts
            )
        if reasons & NO_COMMENTS:
            raise Refused("Comments are switched off under this video on {network}.", **facts)


answers = YouTubeAnswers(NETWORK)
must_be_fine, not_the_api = answers.must_be_fine, answers.not_its_api
parsed, written = answers.parsed, answers.written


def listed(answer: Answer, entity: type[E]) -> tuple[list[E], str]:
    """The entities on a page of a list, and the word for the next page ("": it was the last)."""
    page = parsed(answer, Page)
    try:
        return [entity.model_validate(item) for item in page.items], page.next_page
    except ValidationError:
        raise not_the_api(answer) from None


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a piece. ``done``: the answer, when the file is whole; else how many bytes Google has."""

    offset: int
    done: Answer | None = None


class SessionOver(Exception):
    """The place of an upload is no longer known there: it has to begin anew."""


class Wire(Line):
    """``channel``: the id of the channel that the token speaks for."""

    answers = answers

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        super().__init__(http, login)
        self.channel = login.remote_id

    def host(self, role: str) -> str:
        return host_beside(self.server, role)

    def address(self, film: str, *, short: bool = False) -> str:
        """Where people watch a video."""
        return f"{self.host('watch')}/" + (f"shorts/{film}" if short else f"watch?v={film}")

    async def get(
        self, what: str, params: Mapping[str, str], *, addressed: bool = False, vital: bool = False
    ) -> Answer:
        """A question to the Data API: ``what`` is a collection."""
        url = f"{self.server}/youtube/v3/{what}"
        answer = await read(self.http, "GET", url, network=NETWORK, params=dict(params), headers=self._headers())
        return self.fine(answer, addressed=addressed, vital=vital)

    async def report(self, params: Mapping[str, str]) -> Answer:
        """A question to the Analytics API, which has a quota of its own."""
        url = f"{self.host('analytics')}/v2/reports"
        answer = await read(self.http, "GET", url, network=NETWORK, params=dict(params), headers=self._headers())
        return self.fine(answer)

    async def do(
        self,
        method: str,
        what: str,
        params: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        *,
        addressed: bool = False,
    ) -> Answer:
        """A write that nobody sees, or that may be done twice: every failure on the way is TryLater."""
        more: dict[str, Any] = {"json": body} if body is not None else {}
        url = f"{self.server}/youtube/v3/{what}"
        answer = await read(
            self.http, method, url, network=NETWORK, params=dict(params), headers=self._headers(), **more
        )
        return self.fine(answer, addressed=addressed)

    async def publish(
        self, method: str, what: str, params: Mapping[str, str], body: Mapping[str, Any], *, addressed: bool = False
    ) -> Answer:
        """The visible call."""
        answer = await write(
            self.http,
            method,
            f"{self.server}/youtube/v3/{what}",
            network=NETWORK,
            repeatable=False,
            params=dict(params),
            headers=self._headers(),
            json=dict(body),
        )
        return self.fine(answer, addressed=addressed, vital=True)

    # Uploads

    async def begin_upload(
        self, what: str, params: Mapping[str, str], body: Mapping[str, Any], *, size: int, content_type: str
    ) -> str:
        """A place for a file of ``size`` bytes; what is returned is good for about a week.

        It is the query of the place's address, as the address itself is given anew by who resumes.
        """
        headers = {**self._headers(), "X-Upload-Content-Length": str(size), "X-Upload-Content-Type": content_type}
        answer = await read(
            self.http,
            "POST",
            f"{self.server}/upload/youtube/v3/{what}",
            network=NETWORK,
            params={**params, "uploadType": "resumable"},
            headers=headers,
            json=dict(body),
        )
        self.fine(answer, vital=True)
        query = urlsplit(answer.headers.get("location", "")).query
        if not dict(parse_qsl(query)).get("upload_id"):
            raise not_the_api(answer)
        return query

    async def send_piece(self, what: str, session: str, path: Path, *, offset: int, size: int) -> Sent:
        """The next bytes of a file from ``offset``. Sending them twice harms nobody."""
        piece = _piece(path, offset)
        last = offset + len(piece) - 1
        return await self._put(what, session, piece, f"bytes {offset}-{last}/{size}", offset)

    async def ask_offset(self, what: str, session: str, *, size: int) -> Sent:
        """How far an upload came."""
        return await self._put(what, session, b"", f"bytes */{size}", 0)

    async def _put(self, what: str, session: str, piece: bytes, where: str, offset: int) -> Sent:
        url = f"{self.server}/upload/youtube/v3/{what}?{urlencode(parse_qsl(session))}"
        headers = {**self._headers(), "Content-Range": where, "Content-Type": "application/octet-stream"}
        answer = await read(
            self.http, "PUT", url, network=NETWORK, data=BytesIO(piece), headers=headers, timeout=UPLOAD_TIME
        )
        if answer.status == 308:
            return Sent(_received(answer.headers.get("range", "")))
        if answer.status in (404, 410):
            raise SessionOver
        self.fine(answer, vital=True)
        return Sent(offset + len(piece), answer)

    async def send_whole(self, what: str, params: Mapping[str, str], path: Path, *, content_type: str) -> Answer:
        """A small file by itself."""
        url = f"{self.server}/upload/youtube/v3/{what}"
        headers = {**self._headers(), "Content-Type": content_type}
        with path.open("rb") as file:
            return await read(
                self.http,
                "POST",
                url,
                network=NETWORK,
                params={**params, "uploadType": "media"},
                headers=headers,
                data=file,
                timeout=UPLOAD_TIME,
            )

    async def send_with(
        self, what: str, params: Mapping[str, str], body: Mapping[str, Any], path: Path, *, content_type: str
    ) -> Answer:
        """A small file with what is said of it, in one request of two parts (RFC 2387)."""
        with path.open("rb") as file, aiohttp.MultipartWriter("related") as parts:
            parts.append_json(body)
            parts.append(file, {"Content-Type": content_type})
            return await read(
                self.http,
                "POST",
                f"{self.server}/upload/youtube/v3/{what}",
                network=NETWORK,
                params={**params, "uploadType": "multipart"},
                headers=self._headers(),
                data=parts,
                timeout=UPLOAD_TIME,
            )


def _piece(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(CHUNK)


def _received(header: str) -> int:
    """``bytes=0-262143`` means that 262,144 are there; without the header there are none."""
    _, _, last = header.partition("-")
    return int(last) + 1 if last.isdigit() else 0
