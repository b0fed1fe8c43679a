"""Webhooks of an app, and what each account subscribes to. Source: x-api/webhooks, x-api/activity of docs.x.com."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from regie_sandbox.hooks import Hooks
from regie_sandbox.x.call import Call, authed, by_app, json_of
from regie_sandbox.x.rules import EVENTS, forbidden, invalid, not_found
from regie_sandbox.x.shown import Shows, asked
from regie_sandbox.x.state import App, Direct, Post, Subscription, Webhook

if TYPE_CHECKING:
    from regie_sandbox.x.app import X

NEEDS = {"dm.received": "dm.read", "dm.sent": "dm.read", "like.create": "like.read"}
POST_FIELDS = "created_at,author_id,conversation_id,entities,public_metrics,attachments,reply_settings"
USER_FIELDS = "profile_image_url,public_metrics,verified,verified_type,created_at"
IN_OLD_NAMES = {
    "tweet.fields": POST_FIELDS,
    "expansions": "author_id,referenced_tweets.id,in_reply_to_user_id",
    "user.fields": USER_FIELDS,
}


def routes(net: X) -> list[web.RouteDef]:
    async def create(request: web.Request, app: App) -> Any:
        url = str((await json_of(request, ("url",))).get("url", ""))
        where = urlsplit(url)
        if not url.startswith("https://") and where.hostname not in ("127.0.0.1", "localhost"):
            raise invalid("UrlValidationFailed: the callback URL does not meet the requirements.")
        if any(one.url == url and one.client_id == app.client_id for one in net.state.webhooks.values()):
            raise invalid("DuplicateUrlFailed: a webhook is already registered by your application for this URL.")
        if not await net.answers_challenge(app, url):
            raise invalid("CrcValidationFailed: your callback URL did not respond correctly to the CRC check.")
        made = Webhook(net.new_id(), app.client_id, url, net.now())
        net.state.webhooks[made.id] = made
        return {"data": Shows.webhook(made)}

    async def listed(_: web.Request, app: App) -> Any:
        rows = [Shows.webhook(one) for one in net.state.webhooks.values() if one.client_id == app.client_id]
        return {**({"data": rows} if rows else {}), "meta": {"result_count": len(rows)}}

    def mine(request: web.Request, app: App) -> Webhook:
        hook = net.state.webhooks.get(request.match_info["webhook_id"])
        if hook is None or hook.client_id != app.client_id:
            raise not_found("webhook", request.match_info["webhook_id"])
        return hook

    async def look_again(request: web.Request, app: App) -> Any:
        hook = mine(request, app)
        hook.valid = await net.answers_challenge(app, hook.url)
        return {"data": {"valid": hook.valid}}

    async def forget(request: web.Request, app: App) -> Any:
        del net.state.webhooks[mine(request, app).id]
        return {"data": {"deleted": True}}

    async def subscriptions(_: web.Request, app: App) -> Any:
        held = [one for one in net.state.subscriptions.values() if one.client_id == app.client_id]
        rows = [Shows.subscription(one) for one in held]
        return {**({"data": rows} if rows else {}), "meta": {"total_subscriptions": len(rows)}}

    async def unsubscribe(request: web.Request, app: App) -> Any:
        which = request.match_info["subscription_id"]
        if (held := net.state.subscriptions.get(which)) is None or held.client_id != app.client_id:
            raise not_found("subscription", which)
        del net.state.subscriptions[which]
        return {"data": {"deleted": True}, "meta": {"total_subscriptions": len(net.state.subscriptions)}}

    return [
        web.post("/2/webhooks", by_app(net, create)),
        web.get("/2/webhooks", by_app(net, listed)),
        web.put("/2/webhooks/{webhook_id}", by_app(net, look_again)),
        web.delete("/2/webhooks/{webhook_id}", by_app(net, forget)),
        web.post("/2/activity/subscriptions", authed(net, subscribe, limit=500)),
        web.get("/2/activity/subscriptions", by_app(net, subscriptions)),
        web.delete("/2/activity/subscriptions/{subscription_id}", by_app(net, unsubscribe)),
    ]


async def subscribe(call: Call) -> Any:
    fields = await call.json(("event_type", "filter", "tag", "webhook_id"))
    event, about = str(fields.get("event_type", "")), str((fields.get("filter") or {}).get("user_id", ""))
    hook = call.net.state.webhooks.get(str(fields.get("webhook_id", "")))
    if event not in EVENTS or not about or hook is None or hook.client_id != call.app.client_id:
        raise invalid("The subscription names no event, account or webhook of yours.")
    if about != call.me.id or NEEDS.get(event, "tweet.read") not in call.token.scopes:
        raise forbidden("You are not permitted to subscribe to this private event.")
    held = call.net.state.subscriptions.values()
    if any((one.event, one.user, one.webhook) == (event, about, hook.id) for one in held):
        raise invalid("DuplicateSubscriptionFailed")
    made = Subscription(call.net.new_id(), call.app.client_id, event, about, hook.id, call.net.now())
    made.tag = str(fields.get("tag") or "")
    call.net.state.subscriptions[made.id] = made
    return {"data": {"subscription": Shows.subscription(made)}, "meta": {"total_subscriptions": len(held)}}


def post_payload(net: X, post: Post) -> dict[str, Any]:
    """In the names of 2.159, as X's own examples of deliveries are."""
    shows = Shows(net, "", asked(IN_OLD_NAMES))
    page: dict[str, Any] = shows.named(shows.page([post]))
    return {"payload": page["data"][0], "includes": page.get("includes", {})}


def direct_payload(net: X, one: Direct, to: str) -> dict[str, Any]:
    shows = Shows(net, "", asked({"user.fields": USER_FIELDS}))
    made = {
        "target": {"recipient_id": to},
        "sender_id": one.sender,
        "message_data": {
            "text": one.text,
            "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []},
        },
    }
    event = {
        "type": "message_create",
        "id": one.id,
        "created_timestamp": str(int(one.at.timestamp() * 1000)),
        "message_create": made,
    }
    people = {who: {"data": shows.user(net.state.users[who])} for who in (one.sender, to)}
    return {"payload": {"direct_message_events": [event], "users": people}}


def signed(secret: str, said: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), said, hashlib.sha256).digest()).decode()


class Brings(Hooks):
    """Signs what it delivers, and asks for the proof that an address is the app's."""

    def tell(self, url: str, secret: str, body: dict[str, Any]) -> None:
        raw = json.dumps(body, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "x-twitter-webhooks-signature": signed(secret, raw)}
        self.bring(url, raw, headers)

    async def answers_challenge(self, url: str, secret: str) -> bool:
        token = secrets.token_urlsafe(24)
        try:
            async with self.http.get(url, params={"crc_token": token}) as reply:
                body = json.loads(await reply.read()) if reply.status == 200 else {}
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return False
        return isinstance(body, dict) and body.get("response_token") == signed(secret, token.encode())
