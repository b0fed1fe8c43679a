"""Through LinkedIn's page to the Pages that a member administers, and to the member. Sources: NOTES.md.

There are two kinds of app. One with the product Community Management, which LinkedIn reviews, speaks for Pages and
reads; one with "Share on LinkedIn" and "Sign In with LinkedIn", which anybody gets at once, publishes for its member.
LinkedIn turns a whole sign-in down when it asks for one scope that the app has not, so each asks for its own.
"""

from __future__ import annotations

import secrets as dice
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import aiohttp

from regie.networks.data import AppKeys, Login, Profile, SignedIn, SigningIn
from regie.networks.errors import Refused, SignInAgain
from regie.networks.line import Answer, read
from regie.networks.linkedin.entities import Acl, Elements, Me, Organization, Organizations, Token, UserInfo
from regie.networks.linkedin.wire import (
    MEMBER_URN,
    NETWORK,
    PAGE_URN,
    Wire,
    is_share,
    member_at,
    must_be_fine,
    page_at,
    pages_of,
    parsed,
)

SHARING = ("openid", "profile", "w_member_social")
MANAGING = (
    "r_basicprofile",
    "rw_organization_admin",
    "r_organization_social",
    "w_organization_social",
    "r_organization_social_feed",
    "w_organization_social_feed",
    "w_member_social",
    "w_member_social_feed",
    "r_member_postAnalytics",
    "r_member_profileAnalytics",
)
ADMINISTRATOR = "ADMINISTRATOR"
ROLES = frozenset((ADMINISTRATOR, "CONTENT_ADMINISTRATOR", "CONTENT_ADMIN"))
OF_A_PAGE = {
    "w_organization_social": "Nothing can be published: connect again and allow publishing for your Pages.",
    "r_organization_social": "What was published is not found again by itself: connect again and allow reading posts.",
    "w_organization_social_feed": "Comments cannot be answered: connect again and allow comments for your Pages.",
}
NO_ADMINISTRATOR = "You do not administer this Page: LinkedIn tells comments and numbers to administrators only."
OF_A_MEMBER = {
    "w_member_social": "Nothing can be published: connect again and allow publishing for you.",
    "w_member_social_feed": "There is no first comment: LinkedIn allows it to apps with Community Management only.",
    "r_member_postAnalytics": "There are no numbers: LinkedIn tells them to apps with Community Management only.",
}
MOST_PAGES = 10


def no_app() -> Refused:
    return Refused(
        "{network} needs an app of your own at LinkedIn first: see Networks, then enter its keys.", network=NETWORK
    )


def start(server: str, *, app: AppKeys, redirect_uri: str) -> SigningIn:
    """The address of LinkedIn's page. No PKCE: LinkedIn has it for native apps only."""
    state = dice.token_urlsafe(24)
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "scope": " ".join(SHARING if is_share(server) else MANAGING),
    }
    return SigningIn(url=f"{pages_of(server)}/oauth/v2/authorization?{urlencode(query)}", state=state, secrets={})


async def finish(
    http: aiohttp.ClientSession,
    *,
    server: str,
    app: AppKeys,
    redirect_uri: str,
    query: Mapping[str, str],
    version: str,
) -> SignedIn:
    """The Pages that the member may publish on, and the member."""
    fields = {"grant_type": "authorization_code", "code": _code_in(query), "redirect_uri": redirect_uri}
    token = await _token(http, server, app, fields)
    credentials = credentials_of(token)
    scopes = granted(token) or (SHARING if is_share(server) else MANAGING)
    wire = Wire(http, Login(server=server, credentials=credentials), version=version)
    member = await _member(wire, scopes)
    profiles = (*(await _pages(wire, scopes, member.remote_id)), member)
    return signed_in(token, credentials, profiles=profiles, scopes=scopes)


def _code_in(query: Mapping[str, str]) -> str:
    error = query.get("error", "")
    if error.startswith("user_cancelled") or error == "access_denied":
        raise Refused("You did not allow the connection on the {network} page.", network=NETWORK)
    reason = query.get("error_description") or error or "no code came back"
    if error == "unauthorized_scope_error":
        raise Refused(
            "Your app at {network} lacks a product that this sign-in needs ({reason}): see Networks.",
            network=NETWORK,
            reason=reason,
        )
    if not query.get("code"):
        raise Refused("{network} said: {reason}", network=NETWORK, reason=reason)
    return query["code"]


async def _token(http: aiohttp.ClientSession, server: str, app: AppKeys, fields: Mapping[str, str]) -> Token:
    keys = {"client_id": app.client_id, "client_secret": app.client_secret}
    url = f"{pages_of(server)}/oauth/v2/accessToken"
    answer = await read(http, "POST", url, network=NETWORK, data={**fields, **keys})
    if answer.status in (400, 401):
        raise Refused(
            "The sign-in ran out or was used already ({reason}); start again.", reason=_why(answer), answer=answer
        )
    must_be_fine(answer)
    return parsed(answer, Token)


def _why(answer: Answer) -> str:
    """The vendor's words: its sign-in has errors of OAuth's shape."""
    try:
        said = answer.json()
        return str(said.get("error_description") or said.get("error") or said.get("message"))
    except (ValueError, AttributeError):
        return f"status {answer.status}"


def credentials_of(token: Token) -> dict[str, str]:
    renewing = {"refresh_token": token.refresh_token} if token.refresh_token else {}
    return {"access_token": token.access_token, **renewing}


def granted(token: Token) -> tuple[str, ...]:
    """Names stand with commas or with spaces between them."""
    return tuple(sorted(token.scope.replace(",", " ").split()))


def signed_in(
    token: Token, credentials: Mapping[str, str], *, profiles: tuple[Profile, ...] = (), scopes: Sequence[str] = ()
) -> SignedIn:
    """Without a refresh token, which LinkedIn gives to approved partners only, a person has to come back in time."""
    ends = _in(token.expires_in)
    if not token.refresh_token:
        return SignedIn(credentials=credentials, profiles=profiles, reconnect_by=ends, scopes=tuple(scopes))
    return SignedIn(
        credentials=credentials,
        profiles=profiles,
        expires_at=ends,
        reconnect_by=_in(token.refresh_token_expires_in),
        scopes=tuple(scopes),
    )


def _in(seconds: int | None) -> datetime | None:
    return datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None


async def refresh(http: aiohttp.ClientSession, login: Login) -> SignedIn:
    """A fresh token of sixty days. The refresh token stays as it is, and its year does not begin again."""
    token = login.credentials.get("refresh_token", "")
    if not token or login.app is None:
        raise Refused("{network} gave nothing to renew this sign-in with: connect it again in time.", network=NETWORK)
    keys = {"client_id": login.app.client_id, "client_secret": login.app.client_secret}
    fields = {"grant_type": "refresh_token", "refresh_token": token, **keys}
    url = f"{pages_of(login.server)}/oauth/v2/accessToken"
    answer = await read(http, "POST", url, network=NETWORK, data=fields)
    if answer.status in (400, 401):
        if "invalid_client" in _why(answer) or "unauthorized_client" in _why(answer):
            raise Refused("{network} said: {reason}", network=NETWORK, reason=_why(answer), answer=answer)
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK, answer=answer)
    must_be_fine(answer)
    fresh = parsed(answer, Token)
    return signed_in(fresh, credentials_of(fresh))


# Who is there


async def _member(wire: Wire, scopes: Sequence[str]) -> Profile:
    if is_share(wire.login.server):
        info = parsed(await wire.get("/v2/userinfo", vital=True), UserInfo)
        return _as_member(wire, f"{MEMBER_URN}{info.sub}", info.name, avatar=info.picture, scopes=scopes)
    me = parsed(await wire.get("/rest/me", vital=True), Me)
    return _as_member(wire, f"{MEMBER_URN}{me.id}", me.name, vanity=me.vanity_name, scopes=scopes)


def _as_member(
    wire: Wire, urn: str, name: str, *, scopes: Sequence[str], vanity: str = "", avatar: str = ""
) -> Profile:
    return Profile(
        remote_id=urn,
        name=name or urn,
        handle=f"@{vanity}" if vanity else name or urn,
        server=wire.login.server,
        url=member_at(wire.login.server, vanity),
        avatar_url=avatar,
        kind="profile",
        limits={"kind": "profile", "scopes": sorted(scopes), "missing": missing(OF_A_MEMBER, scopes)},
    )


async def _pages(wire: Wire, scopes: Sequence[str], member: str) -> list[Profile]:
    """The Pages on which the member has a role that publishes."""
    if is_share(wire.login.server) or "rw_organization_admin" not in scopes:
        return []
    found: dict[str, str] = {}
    for nth in range(MOST_PAGES):
        query = f"q=roleAssignee&state=APPROVED&count=100&start={100 * nth}"
        page = parsed(await wire.get(f"/rest/organizationAcls?{query}", vital=True), Elements[Acl]).elements
        for acl in page:
            if acl.role in ROLES and acl.page.startswith(PAGE_URN) and found.get(acl.page) != ADMINISTRATOR:
                found[acl.page] = acl.role
        if len(page) < 100:
            break
    return [_as_page(wire, await organization(wire, urn), _limits(scopes, role, member)) for urn, role in found.items()]


def _limits(scopes: Sequence[str], role: str, member: str) -> Mapping[str, Any]:
    lacking = missing(OF_A_PAGE, scopes) + ([NO_ADMINISTRATOR] if role != ADMINISTRATOR else [])
    return {"kind": "page", "role": role, "scopes": sorted(scopes), "missing": lacking, "member": member}


async def organization(wire: Wire, urn: str) -> Organization:
    """Whole for administrators; others are told its name, by a call that the development tier has not."""
    number = urn.removeprefix(PAGE_URN)
    try:
        return parsed(await wire.get(f"/rest/organizations/{number}"), Organization)
    except Refused as exc:
        if exc.answer is None or exc.answer.status != 403:
            raise
    answer = await wire.get(f"/rest/organizationsLookup?ids=List({number})", vital=True)
    return parsed(answer, Organizations).results.get(number) or Organization(id=number)


def _as_page(wire: Wire, found: Organization, limits: Mapping[str, Any]) -> Profile:
    return Profile(
        remote_id=f"{PAGE_URN}{found.id}",
        name=found.localized_name or found.vanity_name or found.id,
        handle=f"@{found.vanity_name}" if found.vanity_name else found.localized_name or found.id,
        server=wire.login.server,
        url=page_at(wire.login.server, found.vanity_name or found.id),
        kind="page",
        limits=limits,
    )


def missing(needed: Mapping[str, str], scopes: Sequence[str]) -> list[str]:
    """What cannot be done, in words."""
    return [said for scope, said in needed.items() if scope not in scopes]


async def whoami(wire: Wire) -> Profile:
    kept = dict(wire.login.limits)
    if wire.is_page:
        return _as_page(wire, await organization(wire, wire.me), {"kind": "page", **kept})
    me = await _member(wire, tuple(kept.get("scopes") or (SHARING if is_share(wire.login.server) else MANAGING)))
    if me.remote_id != wire.me:
        raise SignInAgain("{network} asks you to connect this account again.", network=NETWORK)
    return me
