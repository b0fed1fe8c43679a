"""Signing in at Google, and the locations that a person manages. Sources: NOTES.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import aiohttp

from regie.networks.data import AppKeys, Login, Profile, SignedIn
from regie.networks.errors import Refused
from regie.networks.google import SCOPE, Gate
from regie.networks.google_business.entities import Manager, Managers, Place, Places
from regie.networks.google_business.wire import NETWORK, Wire, host_beside, parsed

MANAGE = "business.manage"
ASKED = (f"{SCOPE}{MANAGE}",)  # as Google's consent screen wants it
FIELDS = "name,title,languageCode,storeCode,storefrontAddress,metadata"
ACCOUNTS, PLACES = 20, 100  # on a page, at most
MOST_PAGES = 20
WITHOUT_PLACES = "USER_GROUP"  # people, not locations


def gate(server: str) -> Gate:
    return Gate(NETWORK, host_beside(server, "page"), host_beside(server, "token"))


async def finish(
    http: aiohttp.ClientSession,
    *,
    server: str,
    app: AppKeys,
    redirect_uri: str,
    query: Mapping[str, str],
    secrets: Mapping[str, str],
) -> SignedIn:
    """Every location that the person manages is a profile of its own, to choose among."""
    token = await gate(server).finish(http, app=app, redirect_uri=redirect_uri, query=query, secrets=secrets)
    signed = token.signed_in()
    if MANAGE not in signed.scopes:
        raise Refused("Without the permission to manage them, {network} shows no profiles: allow it.", network=NETWORK)
    login = Login(server=server, credentials=signed.credentials, app=app)
    return replace(signed, profiles=tuple(await _profiles(Wire(http, login))))


async def _profiles(wire: Wire) -> list[Profile]:
    """A location that several of the person's accounts show is told once, through the first of them.

    Raises Refused where there is none.
    """
    found: dict[str, Profile] = {}
    for manager in await _managers(wire):
        for place in await _places(wire, manager):
            found.setdefault(place.name, profile_of(place, f"{manager.name}/{place.name}", wire.login))
    if not found:
        raise Refused("This Google account manages no business profile. Make or claim one at Google first.")
    return list(found.values())


async def _managers(wire: Wire) -> list[Manager]:
    found: list[Manager] = []
    token = ""
    for _ in range(MOST_PAGES):
        params = {"pageSize": str(ACCOUNTS), **({"pageToken": token} if token else {})}
        page = parsed(await wire.get("accounts", params, role="accounts", vital=True), Managers)
        found += page.accounts
        token = page.next_page
        if not token:
            break
    return [one for one in found if one.type != WITHOUT_PLACES]


async def _places(wire: Wire, manager: Manager) -> list[Place]:
    found: list[Place] = []
    token = ""
    for _ in range(MOST_PAGES):
        params = {"readMask": FIELDS, "pageSize": str(PLACES), **({"pageToken": token} if token else {})}
        page = parsed(await wire.get(f"{manager.name}/locations", params, role="information", vital=True), Places)
        found += page.locations
        token = page.next_page
        if not token:
            break
    return found


async def whoami(wire: Wire) -> Profile:
    answer = await wire.get(wire.location, {"readMask": FIELDS}, role="information", vital=True)
    return profile_of(parsed(answer, Place), wire.place, wire.login)


def profile_of(place: Place, name: str, login: Login) -> Profile:
    """``name``: with the account that manages it, which version 4 wants. ``limits``: language, name."""
    where = ", ".join(filter(None, (*place.address.lines[:1], place.address.locality)))
    return Profile(
        remote_id=name,
        name=place.title or place.name,
        handle=where or place.store_code or place.title or place.name,
        server=login.server,
        url=place.metadata.maps_url,
        kind="page",
        limits={"language": place.language, "name": place.title},
    )
