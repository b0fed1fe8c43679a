"""Signing in at Google, and the channel behind a token. Sources: NOTES.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import aiohttp

from regie.networks.data import AppKeys, Login, Profile, SignedIn, SigningIn
from regie.networks.errors import Refused
from regie.networks.google import SCOPE, Gate, Token
from regie.networks.youtube.entities import Channel
from regie.networks.youtube.wire import NETWORK, Wire, host_beside, listed

SCOPES = ("youtube.force-ssl", "youtube.readonly", "yt-analytics.readonly")
ASKED = tuple(f"{SCOPE}{one}" for one in SCOPES)  # as Google's consent screen wants them
MISSING = {  # a scope that Google's page lets people untick -> what cannot be done without it
    "youtube.force-ssl": "Nothing can be published, and comments can be neither read nor answered: connect again and "
    "leave the management of videos and comments ticked.",
    "yt-analytics.readonly": "There are no watch times and no shares: connect again and leave the reports ticked.",
}
ME = "id,snippet,statistics,status,contentDetails"


def gate(server: str) -> Gate:
    return Gate(NETWORK, host_beside(server, "page"), host_beside(server, "token"))


def start(server: str, *, app: AppKeys, redirect_uri: str, hint: str) -> SigningIn:
    return gate(server).start(app=app, scopes=ASKED, redirect_uri=redirect_uri, hint=hint)


async def finish(
    http: aiohttp.ClientSession,
    *,
    server: str,
    app: AppKeys,
    redirect_uri: str,
    query: Mapping[str, str],
    secrets: Mapping[str, str],
) -> SignedIn:
    """The channel that the person chose on Google's page: a token speaks for one only."""
    token = await gate(server).finish(http, app=app, redirect_uri=redirect_uri, query=query, secrets=secrets)
    return await _signed_in(http, server, app, token)


async def _signed_in(http: aiohttp.ClientSession, server: str, app: AppKeys, token: Token) -> SignedIn:
    signed = token.signed_in()
    limits = {"missing": missing(signed.scopes)}
    login = Login(server=server, credentials=signed.credentials, app=app, limits=limits)
    channels = await my_channels(Wire(http, login))
    return replace(signed, profiles=tuple(profile_of(one, login) for one in channels))


def missing(scopes: Sequence[str]) -> list[str]:
    """What cannot be done, in words. Nothing is said when Google did not tell what was granted."""
    return [said for scope, said in MISSING.items() if scopes and scope not in scopes]


async def refresh(wire: Wire) -> SignedIn:
    return await gate(wire.server).refresh(wire.http, wire.login)


async def revoke(wire: Wire) -> None:
    await gate(wire.server).revoke(wire.http, wire.login)


# Who it is


async def my_channels(wire: Wire) -> list[Channel]:
    """Raises Refused when the Google account has none."""
    found, _ = listed(await wire.get("channels", {"part": ME, "mine": "true"}, vital=True), Channel)
    if not found:
        raise Refused("This Google account has no channel on {network}. Make one there first.", network=NETWORK)
    return found


async def me(wire: Wire) -> Channel:
    """The account's own channel. Another one means that its owner chose differently on Google's page."""
    found = await my_channels(wire)
    return next((one for one in found if one.id == wire.channel), found[0])


async def whoami(wire: Wire) -> Profile:
    return profile_of(await me(wire), wire.login)


def profile_of(channel: Channel, login: Login) -> Profile:
    """``limits``: missing, uploads (the playlist of all its videos), long_uploads, region."""
    snippet = channel.snippet
    limits: dict[str, Any] = {
        "uploads": channel.content.related.uploads,
        "long_uploads": channel.status.long_uploads not in ("disallowed", "eligible"),
        "region": snippet.country,
    }
    if "missing" in login.limits:
        limits["missing"] = login.limits["missing"]
    pictures = [one.url for one in snippet.thumbnails.values()]
    return Profile(
        remote_id=channel.id,
        name=snippet.title or channel.id,
        handle=snippet.custom_url or snippet.title or channel.id,
        server=login.server,
        url=f"{host_beside(login.server, 'watch')}/channel/{channel.id}",
        avatar_url=pictures[0] if pictures else "",
        kind="channel",
        limits=limits,
    )
