"""Connecting a community: its own key, and that of a person who administers it. Source: NOTES.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from regie.networks.data import Login, Profile, SignedIn
from regie.networks.errors import NetworkError, Refused, SignInAgain
from regie.networks.vk.entities import Group, Groups, Permissions, Response
from regie.networks.vk.wire import NETWORK, Wire, parsed

OF_COMMUNITY = {  # a right of the community's key -> what cannot be done without it
    "wall": "Nothing can be published: make a key with the right to the wall.",
    "messages": "Direct messages can be neither read nor answered: make a key with the right to messages.",
}
OF_ADMIN = {  # a bit of the administrator's key -> what cannot be done without it
    4: "No pictures can be published: make an administrator's key with the right to photos.",
    16: "No videos can be published: make an administrator's key with the right to videos.",
    8192: "Nothing can be published with the administrator's key: make one with the right to the wall.",
    1_048_576: "There are no numbers of the community: make an administrator's key with the right to statistics.",
}
NO_ADMIN = (
    "Only texts, links and documents can be published, and comments are heard from now on only: for the rest VK wants "
    "the key of an administrator."
)


async def sign_in(http: aiohttp.ClientSession, *, server: str, fields: Mapping[str, str]) -> SignedIn:
    """``fields``: community_key, and admin_key when there is one."""
    credentials = {name: fields.get(name, "").strip() for name in ("community_key", "admin_key")}
    credentials = {name: value for name, value in credentials.items() if value}
    try:
        profile = await whoami(Wire(http, Login(server=server, credentials=credentials)))
    except SignInAgain as exc:
        raise Refused("{network} does not know this key.", network=NETWORK, answer=exc.answer) from exc
    return SignedIn(credentials=credentials, profiles=(profile,))


async def whoami(wire: Wire) -> Profile:
    """The community behind its key. That the administrator's key is good for it is asked too."""
    group = await _group(wire)
    limits: dict[str, Any] = {"admin": wire.has_admin, "username": group.screen_name, "missing": await _missing(wire)}
    return Profile(
        remote_id=str(group.id),
        name=group.name,
        handle=f"@{group.screen_name or f'club{group.id}'}",
        server=wire.login.server,
        url=f"https://vk.com/{group.screen_name or f'club{group.id}'}",
        avatar_url=group.photo_200,
        kind="group",
        limits=limits,
    )


async def _group(wire: Wire) -> Group:
    """A community's key needs no number: it names its own community."""
    answer = await wire.ask("groups.getById", community=True)
    groups = parsed(answer, Response[Groups]).response.groups
    if len(groups) != 1:
        raise Refused("{network} answered something that is not its API ({status}).", network=NETWORK, status=200)
    return groups[0]


async def _missing(wire: Wire) -> list[str]:
    answer = await wire.ask("groups.getTokenPermissions", community=True)
    granted = {one.name for one in parsed(answer, Response[Permissions]).response.permissions}
    missing = [said for right, said in OF_COMMUNITY.items() if right not in granted]
    if not wire.has_admin:
        return [*missing, NO_ADMIN]
    return missing + await _missing_of_admin(wire)


async def _missing_of_admin(wire: Wire) -> list[str]:
    try:
        mask = parsed(await wire.ask("account.getAppPermissions"), Response[int]).response
    except SignInAgain:
        raise
    except NetworkError:
        return []
    return [said for bit, said in OF_ADMIN.items() if not mask & bit]
