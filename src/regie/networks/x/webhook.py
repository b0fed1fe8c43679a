"""News that X brings to one address for all accounts of an app. Source: x-api/webhooks, x-api/activity of docs.x.com.

The address is told to X by us, with our app's own token; each account then subscribes to what it wants to hear.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from regie.networks.capabilities import MessageKind
from regie.networks.data import AppKeys, Incoming, Login, Messages
from regie.networks.errors import NetworkError, Refused
from regie.networks.line import Answer, read
from regie.networks.x.entities import Includes, NewWebhook, Post, Subscription, Subscriptions, User, Webhook, Webhooks
from regie.networks.x.reading import as_written, moment, person, said_in
from regie.networks.x.sign_in import app_token
from regie.networks.x.wire import NETWORK, Wire, must_be_fine, parsed

HEADER = "x-twitter-webhooks-signature"
POSTS = ("post.mention.create", "post.reply.create", "post.quote.create")
WANTED = (*POSTS, "dm.received")
MOST_PAGES = 20


def sign(app: AppKeys, said: bytes) -> str:
    secret = app.extra.get("api_secret", "")
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), said, hashlib.sha256).digest()).decode()


def challenge(app: AppKeys, query: Mapping[str, str]) -> str | None:
    """What X is answered when it looks whether the address is ours (each hour): JSON. None: it did not ask that."""
    token = query.get("crc_token", "")
    if not token or not app.extra.get("api_secret"):
        return None
    return json.dumps({"response_token": sign(app, token.encode())})


def verify(app: AppKeys, *, body: bytes, headers: Mapping[str, str]) -> None:
    given = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    if not app.extra.get("api_secret") or not hmac.compare_digest(given.encode(), sign(app, body).encode()):
        raise Refused("This delivery is not signed by {network}.", network=NETWORK)


async def enter(wire: Wire, *, url: str) -> None:
    """Tells X the address, once; one that X no longer trusts is looked at again."""
    token = await app_token(wire)
    known = parsed(await _as_app(wire, "GET", "/2/webhooks", token), Webhooks).data
    ours = next((one for one in known if one.url == url), None)
    if ours is None:
        parsed(await _as_app(wire, "POST", "/2/webhooks", token, json={"url": url}), NewWebhook)
    elif not ours.valid:
        await _as_app(wire, "PUT", f"/2/webhooks/{ours.id}", token)


async def subscribe(wire: Wire, *, url: str = "") -> None:
    """To what people say, each kind once. ``url``: of several addresses, the one that is ours."""
    token = await app_token(wire)
    hooks = parsed(await _as_app(wire, "GET", "/2/webhooks", token), Webhooks).data
    hook = _ours(hooks, url)
    held = {(one.event_type, one.webhook_id) for one in await _subscriptions(wire, token)}
    for event in WANTED:
        if (event, hook.id) not in held:
            fields = {"event_type": event, "filter": {"user_id": wire.me}, "webhook_id": hook.id}
            await wire.do("POST", "/2/activity/subscriptions", json=fields)


def _ours(hooks: tuple[Webhook, ...], url: str) -> Webhook:
    found = next((one for one in hooks if one.url == url), None) or next((one for one in hooks if one.valid), None)
    if found is None:
        raise Refused("Your app at {network} has no webhook yet.", network=NETWORK)
    return found


async def unsubscribe(wire: Wire) -> None:
    token = await app_token(wire)
    for one in await _subscriptions(wire, token):
        if one.event_type in WANTED:
            await _as_app(wire, "DELETE", f"/2/activity/subscriptions/{one.subscription_id}", token)


async def _subscriptions(wire: Wire, token: str) -> list[Subscription]:
    found: list[Subscription] = []
    asked: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        page = parsed(await _as_app(wire, "GET", "/2/activity/subscriptions", token, params=asked), Subscriptions)
        found += [one for one in page.data if one.filter.user_id == wire.me]
        if not page.meta.next_token:
            break
        asked = {"pagination_token": page.meta.next_token}
    return found


async def _as_app(wire: Wire, method: str, path: str, token: str, **request: Any) -> Answer:
    answer = await read(
        wire.http,
        method,
        f"{wire.server}{path}",
        network=NETWORK,
        headers={"Authorization": f"Bearer {token}"},
        **request,
    )
    try:
        must_be_fine(answer)
    except NetworkError as exc:
        if answer.status == 401:  # of the app, not of the account
            raise Refused("{network} said: {reason}", network=NETWORK, reason=exc.said, answer=answer) from None
        raise
    return answer


def _events(body: bytes) -> Iterator[Mapping[str, Any]]:
    """One to a delivery, as the vendor's page shows it; a list of them is read as well."""
    try:
        whole = json.loads(body)
    except ValueError:
        raise Refused("This delivery is no news of {network}'s.", network=NETWORK) from None
    found = whole.get("data") if isinstance(whole, dict) else None
    for event in found if isinstance(found, list) else [found]:
        if not isinstance(event, dict) or "event_type" not in event:
            raise Refused("This delivery is no news of {network}'s.", network=NETWORK)
        yield event


def concerns(body: bytes) -> frozenset[str]:
    return frozenset(who for event in _events(body) if (who := _about(event)))


def _about(event: Mapping[str, Any]) -> str:
    wanted = event.get("filter")
    return str(wanted.get("user_id") or "") if isinstance(wanted, dict) else ""


def news(login: Login, *, body: bytes) -> Messages:
    found: list[Incoming] = []
    for event in _events(body):
        payload = event.get("payload")
        if _about(event) != login.remote_id or not isinstance(payload, dict):
            continue
        try:
            if event["event_type"] in POSTS:
                found += _post(login, payload, event.get("includes"))
            elif event["event_type"] == "dm.received":
                found += _directs(login, payload)
        except (ValidationError, KeyError, TypeError, ValueError):
            raise Refused("This delivery is no news of {network}'s.", network=NETWORK) from None
    return Messages(messages=tuple(found), cursor="")


def _post(login: Login, payload: Mapping[str, Any], beside: Any) -> list[Incoming]:
    users = [one.get("data", one) for one in (beside or {}).get("users", ()) if isinstance(one, dict)]
    includes = Includes.model_validate({"users": users})
    one = said_in(Post.model_validate(payload), includes, login.remote_id, login.server)
    return [one] if one is not None else []


def _directs(login: Login, payload: Mapping[str, Any]) -> list[Incoming]:
    """In the older API's shape, with the people beside them by their ids."""
    found = []
    users = payload.get("users") or {}
    for event in payload.get("direct_message_events") or ():
        made = event.get("message_create") or {}
        who, whom = str(made.get("sender_id", "")), str((made.get("target") or {}).get("recipient_id", ""))
        if event.get("type") != "message_create" or not who or who == login.remote_id:
            continue
        shown = users.get(who) or {}
        by = User.model_validate({**shown.get("data", shown), "id": who})
        conversation = "-".join(sorted((who, whom), key=int))
        found.append(
            Incoming(
                remote_id=str(event["id"]),
                kind=MessageKind.DIRECT,
                by=person(by, login.server),
                text=as_written(str((made.get("message_data") or {}).get("text") or "")),
                said_at=moment(str(event.get("created_timestamp") or "")),
                conversation_id=f"direct:{conversation}",
                extra={"kind": "direct", "conversation": conversation},
            )
        )
    return found
