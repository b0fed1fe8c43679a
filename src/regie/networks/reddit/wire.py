"""One request to Reddit's API, and what its answers mean. Source: the recordings and PRAW; see NOTES.md.

Reddit says 200 also to what it will not have: the errors are in the body. An address that is none of Reddit's own
stands in for all of its hosts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from pydantic import ValidationError

from regie import __version__
from regie.networks.data import Login
from regie.networks.errors import Gone, Refused, SignInAgain, TokenExpired, TryLater
from regie.networks.line import Answer, Reader, read, write
from regie.networks.reddit.entities import Invalid, Me, Reply, Submitted, Yes
from regie.networks.reddit.limits import NETWORK

API, PAGES = "https://oauth.reddit.com", "https://www.reddit.com"
UPLOAD_TIME = aiohttp.ClientTimeout(total=3600, sock_connect=10, sock_read=300)
PAUSE = re.compile(r"(\d+)\s*(millisecond|second|minute|hour|day)s?", re.IGNORECASE)
GONE = frozenset(("DELETED_LINK", "DELETED_COMMENT", "DELETED_THING", "THING_NOT_FOUND", "NO_THING_ID"))
REFUSED = {  # the vendor's code -> our sentence
    "SUBREDDIT_NOEXIST": "{network} has no such community: check its name.",
    "SUBREDDIT_REQUIRED": "Name the community that this post is for.",
    "BAD_SR_NAME": "{network} has no such community: check its name.",
    "SUBREDDIT_NOTALLOWED": "This account may not post in this community.",
    "BANNED_FROM_SUBREDDIT": "This account is banned from this community.",
    "USER_BLOCKED": "This person blocked the account on {network}.",
    "NO_LINKS": "This community takes texts, no links.",
    "NO_SELFS": "This community takes links, no texts.",
    "NO_IMAGES": "This community takes no pictures.",
    "IMAGES_NOTALLOWED": "This community takes no pictures.",
    "NO_VIDEOS": "This community takes no videos.",
    "VIDEOS_NOTALLOWED": "This community takes no videos.",
    "NO_GALLERIES": "This community takes no galleries: one picture only.",
    "NO_POLLS": "This community takes no polls.",
    "SUBMIT_VALIDATION_FLAIR_REQUIRED": "This community takes no post without a flair: choose one.",
    "FLAIR_REQUIRED": "This community takes no post without a flair: choose one.",
    "BAD_FLAIR_TEMPLATE_ID": "This flair does not exist in this community: choose another.",
    "INVALID_FLAIR_TEMPLATE_ID": "This flair does not exist in this community: choose another.",
    "ALREADY_SUB": "This link was posted in this community already.",
    "DOMAIN_BANNED": "{network} takes no links to this site.",
    "BAD_URL": "{network} cannot read this link.",
    "NO_URL": "{network} cannot read this link.",
    "NO_TEXT": "Something is missing: a post on {network} needs a title, a comment a text.",
    "MISSING_VIDEO_URLS": "{network} wants a picture that stands for the video.",
    "TOO_FEW_OPTIONS": "A poll on {network} has 2 to 6 answers.",
    "TOO_LONG": "The title or the text is too long for {network}.",
    "TOO_OLD": "This is too old to be answered: {network} has archived it.",
    "THREAD_LOCKED": "The moderators closed this to answers.",
    "COMMENT_GUIDANCE_VALIDATION_FAILED": "This community's rules do not allow this comment.",
    "NOT_WHITELISTED_BY_USER_MESSAGE": "This person takes no messages from this account.",
    "USER_DOESNT_EXIST": "There is no such person on {network}.",
    "NOT_AUTHOR": "Only who wrote it can change it.",
}


def pages_of(server: str) -> str:
    """Where people sign in and tokens are given, beside an API."""
    return PAGES if server.rstrip("/") == API else server.rstrip("/")


def user_agent(username: str = "") -> str:
    """In the form that Reddit asks for; clients that do not name themselves are slowed down."""
    return f"web:regie:{__version__}" + (f" (by /u/{username})" if username else "")


def not_before(answer: Answer) -> datetime | None:
    """When Reddit will listen again: X-Ratelimit-Reset or Retry-After, both in seconds."""
    for name in ("x-ratelimit-reset", "retry-after"):
        try:
            return answer.now + timedelta(seconds=float(answer.headers[name]))
        except (KeyError, ValueError):
            continue
    return None


def break_of(words: str) -> timedelta | None:
    """How long a break a sentence asks for: "Take a break for 14 minutes before trying again."."""
    found = PAUSE.search(words)
    if found is None:
        return None
    return timedelta(**{f"{found[2].lower()}s": int(found[1]) + 1})  # it rounds down


def must_be_fine(answer: Answer, *, addressed: bool = False) -> None:
    """Raise what an answer means. ``addressed``: it is about one thing, so "not there" is that thing's."""
    facts: dict[str, Any] = {"network": NETWORK, "answer": answer}
    denied = answer.headers.get("www-authenticate", "").lower()
    match answer.status:
        case code if 200 <= code < 300:
            return
        case 401 if "invalid_token" in denied:
            raise TokenExpired("{network} wants a fresh token.", **facts)
        case 401:
            raise SignInAgain("{network} asks you to connect this account again.", **facts)
        case 403 if "insufficient_scope" in denied:
            raise Refused("A permission is missing: connect the account again, and allow everything.", **facts)
        case 403:
            raise Refused("{network} does not let this account do that here.", **facts)
        case 404 if addressed:
            raise Gone("{network} no longer has it.", **facts)
        case 404 if answer.method == "POST":
            raise Refused("This community is closed to this account.", **facts)
        case 429:
            raise TryLater("{network} asked us to slow down.", not_before=not_before(answer), **facts)
        case 400 if (said := _invalid(answer)) is not None:
            raise Refused(REFUSED.get(said.reason or "", "{network} said: {reason}"), reason=said.explanation, **facts)
    if 300 <= answer.status < 400 or answer.body.lstrip()[:1] == b"<":
        raise not_reddit(answer)
    raise Refused("{network} said: {reason}", reason=f"status {answer.status}", **facts)


def _invalid(answer: Answer) -> Invalid | None:
    try:
        said = Invalid.model_validate_json(answer.body)
    except ValidationError:
        return None
    return said if said.explanation else None


def must_be_taken(said: Yes, answer: Answer) -> None:
    """Raise the first error that a body of 200 holds: nothing was done."""
    if not said.errors:
        return
    code, words = (str(one or "") for one in (*said.errors[0], "", "")[:2])
    facts: dict[str, Any] = {"network": NETWORK, "answer": answer}
    if code == "RATELIMIT":
        wait = timedelta(seconds=said.ratelimit) if said.ratelimit else break_of(words)
        until = answer.now + wait if wait else None
        raise TryLater("{network} asked us to slow down.", not_before=until, **facts)
    if code == "USER_REQUIRED":
        raise SignInAgain("{network} asks you to connect this account again.", **facts)
    if code in GONE:
        raise Gone("{network} no longer has it.", **facts)
    raise Refused(REFUSED.get(code, "{network} said: {reason}"), reason=words or code, **facts)


answers = Reader(NETWORK)
not_reddit, parsed = answers.not_its_api, answers.parsed


def written(answer: Answer) -> Submitted:
    """What became of a write that was answered with 200. Raises what its errors mean, Unclear when it has no shape."""
    try:
        said = Reply.model_validate_json(answer.body).yes
    except ValidationError:
        raise answers.unreadable(answer) from None
    must_be_taken(said, answer)
    return said.data


class Wire:
    """One account's line to Reddit."""

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self.http, self.login = http, login
        self.server = login.server.rstrip("/")

    async def username(self) -> str:
        """The account's name, which its addresses there begin with."""
        known = str(self.login.limits.get("username", ""))
        return known or (await self.me()).name

    async def me(self) -> Me:
        return parsed(await self.get("/api/v1/me"), Me)

    def _request(self) -> dict[str, Any]:
        return {
            "headers": {
                "Authorization": f"Bearer {self.login.credentials.get('access_token', '')}",
                "User-Agent": user_agent(str(self.login.limits.get("username", ""))),
            }
        }

    async def get(self, path: str, params: Mapping[str, str] | None = None, *, addressed: bool = False) -> Answer:
        """A question. ``raw_json``: texts as they were written, not as HTML."""
        asked = {"raw_json": "1", **(params or {})}
        answer = await read(self.http, "GET", f"{self.server}{path}", network=NETWORK, params=asked, **self._request())
        must_be_fine(answer, addressed=addressed)
        return answer

    async def do(self, path: str, fields: Mapping[str, str], *, addressed: bool = False) -> Answer:
        """A write that may be done twice: every failure on the way is TryLater."""
        form = {"api_type": "json", **fields}
        answer = await read(
            self.http,
            "POST",
            f"{self.server}{path}",
            network=NETWORK,
            params={"raw_json": "1"},
            data=form,
            **self._request(),
        )
        must_be_fine(answer, addressed=addressed)
        try:
            said = Reply.model_validate_json(answer.body).yes
        except ValidationError:  # most of them say {}
            return answer
        must_be_taken(said, answer)
        return answer

    async def publish(self, path: str, fields: Mapping[str, Any], *, as_json: bool = False) -> tuple[Submitted, Answer]:
        """The visible call, and what it answers where it answers as most do."""
        answer = await self.write(path, fields, as_json=as_json)
        return written(answer), answer

    async def write(self, path: str, fields: Mapping[str, Any], *, as_json: bool = False) -> Answer:
        """The visible call."""
        body: dict[str, Any] = {"json": dict(fields)} if as_json else {"data": {"api_type": "json", **fields}}
        answer = await write(
            self.http,
            "POST",
            f"{self.server}{path}",
            network=NETWORK,
            repeatable=False,
            params={"raw_json": "1"},
            **body,
            **self._request(),
        )
        must_be_fine(answer)
        return answer
