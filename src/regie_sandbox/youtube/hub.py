"""Google's hub: who asks is told of a channel's videos, signed. Sources: guide "Push Notifications", W3C WebSub."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import aiohttp
from aiohttp import web

from regie_sandbox.hooks import Hooks
from regie_sandbox.youtube.state import Channel, Subscription, Video

if TYPE_CHECKING:
    from regie_sandbox.youtube.app import YouTube

TOPICS = ("https://www.youtube.com/feeds/videos.xml", "https://www.youtube.com/xml/feeds/videos.xml")
LASTS = timedelta(days=5)
FEED = """<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns="http://www.w3.org/2005/Atom"{more}>
  <link rel="hub" href="https://pubsubhubbub.appspot.com"/>
  <link rel="self" href="https://www.youtube.com/xml/feeds/videos.xml?channel_id={channel}"/>
  <title>YouTube video feed</title>
  <updated>{now}</updated>
{entry}
</feed>
"""
ENTRY = """  <entry>
    <id>yt:video:{video}</id>
    <yt:videoId>{video}</yt:videoId>
    <yt:channelId>{channel}</yt:channelId>
    <title>{title}</title>
    <link rel="alternate" href="https://www.youtube.com/watch?v={video}"/>
    <author>
      <name>{name}</name>
      <uri>https://www.youtube.com/channel/{channel}</uri>
    </author>
    <published>{published}</published>
    <updated>{now}</updated>
  </entry>"""
GONE = """  <at:deleted-entry ref="yt:video:{video}" when="{now}">
    <link href="https://www.youtube.com/watch?v={video}"/>
    <at:by>
      <name>{name}</name>
      <uri>https://www.youtube.com/channel/{channel}</uri>
    </at:by>
  </at:deleted-entry>"""
TOMBSTONES = ' xmlns:at="http://purl.org/atompub/tombstones/1.0"'


class Hub:
    """``hooks.brought``: address and status of each delivery."""

    def __init__(self, net: YouTube) -> None:
        self.net = net
        self.hooks = Hooks()

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/subscribe", self.subscribe)]

    async def subscribe(self, request: web.Request) -> web.Response:
        """The wish is taken, then asked about at the address itself."""
        asked = {name: str(value) for name, value in (await request.post()).items()}
        channel = _channel_in(asked.get("hub.topic", ""))
        if asked.get("hub.mode") not in ("subscribe", "unsubscribe") or not asked.get("hub.callback"):
            return web.Response(status=400, text="Invalid value for hub.mode or hub.callback")
        if channel not in self.net.state.channels or len(asked.get("hub.secret", "")) > 200:
            return web.Response(status=400, text="Invalid value for hub.topic or hub.secret")
        if asked.get("hub.verify") == "sync":
            return web.Response(status=204 if await self._confirmed(asked, channel) else 409)
        self.hooks.begin(self._confirmed(asked, channel))
        return web.Response(status=202)

    async def _confirmed(self, asked: dict[str, str], channel: str) -> bool:
        lease = int(asked.get("hub.lease_seconds") or LASTS.total_seconds())
        challenge, callback = str(secrets.randbelow(10**18)), asked["hub.callback"]
        query = {name: asked[name] for name in ("hub.mode", "hub.topic")} | {"hub.challenge": challenge}
        try:
            async with self.hooks.http.get(callback, params={**query, "hub.lease_seconds": str(lease)}) as reply:
                echoed = 200 <= reply.status < 300 and (await reply.text()) == challenge
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False
        if not echoed:
            return False
        key = f"{channel} {callback}"
        if asked["hub.mode"] == "unsubscribe":
            self.net.state.subscriptions.pop(key, None)
        else:
            until = self.net.now() + timedelta(seconds=lease)
            self.net.state.subscriptions[key] = Subscription(channel, callback, asked.get("hub.secret", ""), until)
        return True

    # What is told

    def tell(self, video: Video) -> None:
        """It is new, or its title or description changed."""
        self._tell(video, ENTRY, published=_moment(video.public_at or video.made_at), title=escape(video.title))

    def tell_gone(self, video: Video) -> None:
        self._tell(video, GONE, more=TOMBSTONES)

    def _tell(self, video: Video, entry: str, *, more: str = "", **facts: str) -> None:
        channel: Channel = self.net.state.channels[video.channel]
        now = _moment(self.net.now())
        words = entry.format(video=video.id, channel=channel.id, name=escape(channel.name), now=now, **facts)
        raw = FEED.format(channel=channel.id, now=now, entry=words, more=more).encode()
        for one in self.net.state.subscriptions.values():
            if one.channel == channel.id and one.until > self.net.now():
                self.bring(one, raw)

    def bring(self, to: Subscription, raw: bytes) -> None:
        """May be called from any thread."""
        headers = {"Content-Type": "application/atom+xml"}
        if to.secret:
            headers["X-Hub-Signature"] = "sha1=" + hmac.new(to.secret.encode(), raw, hashlib.sha1).hexdigest()
        self.hooks.bring(to.callback, raw, headers)


def _channel_in(topic: str) -> str:
    parts = urlsplit(topic)
    if f"{parts.scheme}://{parts.netloc}{parts.path}" not in TOPICS:
        return ""
    return (parse_qs(parts.query).get("channel_id") or [""])[0]


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S+00:00")
