"""Signing in through Facebook: the dialog, the long-lived token, what was granted. Sources: the connectors' notes."""

from __future__ import annotations

import secrets as dice
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import aiohttp

from regie.networks.data import AppKeys, SigningIn
from regie.networks.errors import Refused
from regie.networks.line import Answer, read
from regie.networks.meta.wire import VERSION, Entity, Graph, error_in, host_beside, must_be_fine, parsed

MOST_PAGES = 20  # of Pages behind one sign-in, a hundred each


class Token(Entity):
    access_token: str
    expires_in: int | None = None


class Permission(Entity):
    permission: str
    status: str = ""


class Permissions(Entity):
    data: tuple[Permission, ...] = ()


def no_app(network: str) -> Refused:
    return Refused(
        "{network} needs an app of your own at Meta first: see Networks, then enter its keys.", network=network
    )


def start(server: str, *, app: AppKeys, redirect_uri: str, scopes: Sequence[str]) -> SigningIn:
    """The address of Facebook's dialog. No PKCE: Meta's web flow has none."""
    state = dice.token_urlsafe(24)
    query = {
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": ",".join(scopes),
        "state": state,
    }
    return SigningIn(
        url=f"{host_beside(server, 'page')}/{VERSION}/dialog/oauth?{urlencode(query)}", state=state, secrets={}
    )


def code_in(query: Mapping[str, str], *, network: str) -> str:
    """What came back. Raises Refused when the person said no."""
    if query.get("error") == "access_denied":
        raise Refused("You did not allow the connection on the {network} page.", network=network)
    if not query.get("code"):
        reason = (
            query.get("error_description") or query.get("error_message") or query.get("error") or "no code came back"
        )
        raise Refused("{network} said: {reason}", network=network, reason=reason)
    return query["code"].removesuffix("#_")


async def user_token(
    http: aiohttp.ClientSession, server: str, *, app: AppKeys, redirect_uri: str, code: str, network: str
) -> Token:
    """The code for a token of an hour, that for one of sixty days."""
    keys = {"client_id": app.client_id, "client_secret": app.client_secret}
    url = f"{server.rstrip('/')}/{VERSION}/oauth/access_token"
    short = await _token(http, url, {**keys, "redirect_uri": redirect_uri, "code": code}, network)
    exchange = {**keys, "grant_type": "fb_exchange_token", "fb_exchange_token": short.access_token}
    return await _token(http, url, exchange, network)


async def _token(http: aiohttp.ClientSession, url: str, fields: Mapping[str, str], network: str) -> Token:
    answer = await read(http, "POST", url, network=network, data=dict(fields))
    must_be_traded(answer, network)
    return parsed(answer, Token, network=network)


def must_be_traded(answer: Answer, network: str) -> None:
    """Raises Refused for a code or a token that Meta does not trade: beginning again helps."""
    if answer.status in (400, 401) and (said := error_in(answer)) is not None:
        raise Refused(
            "The sign-in ran out or was used already ({reason}); start again.", reason=said.words, answer=answer
        )
    must_be_fine(answer, network=network)


def ends_at(token: Token) -> datetime | None:
    return datetime.now(UTC) + timedelta(seconds=token.expires_in) if token.expires_in else None


async def granted(graph: Graph) -> tuple[str, ...]:
    """The permissions that the person left ticked."""
    answer = await graph.get("/me/permissions")
    found = parsed(answer, Permissions, network=graph.network).data
    return tuple(sorted(one.permission for one in found if one.status == "granted"))
