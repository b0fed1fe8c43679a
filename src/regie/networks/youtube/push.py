"""YouTube's push: news of a channel's videos through Google's hub. Sources: guide "Push Notifications", W3C WebSub.

The hub tells of new videos, of changed titles and descriptions, and of videos that are no longer public. It tells of no
comments. Its secret, and the word by which we know our own wish in the address that it asks, are made from our app's.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.parsers import expat

from regie.networks.data import AppKeys, Login, Messages
from regie.networks.errors import Refused
from regie.networks.line import read
from regie.networks.youtube.wire import NETWORK, Wire, must_be_fine, not_the_api

HEADER = "x-hub-signature"
LASTS = timedelta(days=5)  # the hub forgets us then, unless we ask again
TOPIC = "https://www.youtube.com/feeds/videos.xml"
ATOM, TUBE = "http://www.w3.org/2005/Atom", "http://www.youtube.com/xml/schemas/2015"
GONE = "http://purl.org/atompub/tombstones/1.0"
MOST_DEEP = 20


def secret_for(app: AppKeys) -> str:
    """What the hub signs with: it never learns our app's own secret."""
    return hmac.new(app.client_secret.encode(), b"websub", hashlib.sha256).hexdigest()


def word_for(app: AppKeys, channel: str) -> str:
    """In the address that the hub asks whether we meant it."""
    return hmac.new(app.client_secret.encode(), f"websub {channel}".encode(), hashlib.sha256).hexdigest()[:32]


def topic_of(channel: str) -> str:
    return f"{TOPIC}?{urlencode({'channel_id': channel})}"


async def ask_hub(wire: Wire, *, mode: str, url: str) -> None:
    """Subscribe, or stop. Asking again makes it last anew; the hub then asks at our address whether it was us."""
    app = wire.login.app
    if app is None or not url:
        return
    word = urlencode({"channel": wire.channel, "word": word_for(app, wire.channel)})
    fields = {
        "hub.callback": f"{url}?{word}",
        "hub.topic": topic_of(wire.channel),
        "hub.mode": mode,
        "hub.verify": "async",
        "hub.secret": secret_for(app),
        "hub.lease_seconds": str(int(LASTS.total_seconds())),
    }
    answer = await read(wire.http, "POST", f"{wire.host('hub')}/subscribe", network=NETWORK, data=fields)
    if answer.status not in (202, 204):
        must_be_fine(answer)
        raise not_the_api(answer)


def challenge(app: AppKeys, *, query: Mapping[str, str]) -> str | None:
    """What the hub wants to hear when it asks for a wish of ours; None when it is not ours, or not the hub."""
    channel, asked = query.get("channel", ""), urlsplit(query.get("hub.topic", ""))
    ours = hmac.compare_digest(query.get("word", "").encode(), word_for(app, channel).encode())
    if not channel or not ours or query.get("hub.mode") not in ("subscribe", "unsubscribe"):
        return None
    same = f"{asked.scheme}://{asked.netloc}{asked.path}" == TOPIC and parse_qs(asked.query).get("channel_id") == [
        channel
    ]
    return query.get("hub.challenge") if same else None


def verify(app: AppKeys, *, body: bytes, headers: Mapping[str, str]) -> None:
    """The signature over the bytes as they came (SHA-1: the hub knows no other). Raises Refused."""
    given = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    wanted = "sha1=" + hmac.new(secret_for(app).encode(), body, hashlib.sha1).hexdigest()
    if not app.client_secret or not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Refused("This delivery is not signed by {network}.", network=NETWORK)


def concerns(body: bytes) -> frozenset[str]:
    """The channels that it is about. Raises Refused for what is no feed of YouTube's."""
    return frozenset(channel for channel, _, _ in told(body) if channel)


def news(login: Login, *, body: bytes) -> Messages:
    """Videos of the channel that are gone. New and changed ones say nothing to an inbox."""
    gone = tuple(video for channel, video, is_gone in told(body) if is_gone and channel == login.remote_id)
    return Messages(messages=(), cursor="", gone=gone)


def told(body: bytes) -> list[tuple[str, str, bool]]:
    """Channel and video of each entry, and whether it is gone. Raises Refused."""
    feed = _Feed()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = feed.begin, feed.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = feed.text, feed.refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError):
        raise Refused("This delivery is no news of {network}'s.", network=NETWORK) from None
    return list(feed.entries())


class _Feed:
    """An Atom feed as it is read. A document type, by which a small text can grow without end, is not read at all."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._found: list[dict[str, str]] = []
        self._is_feed = False

    def refuse(self, *_: Any) -> None:
        raise ValueError

    def begin(self, name: str, given: Mapping[str, str]) -> None:
        self._is_feed = self._is_feed or name == f"{ATOM} feed"
        self._path.append(name)
        if not self._is_feed or len(self._path) > MOST_DEEP:
            raise ValueError
        if name == f"{ATOM} entry":
            self._found.append({})
        elif name == f"{GONE} deleted-entry":
            self._found.append({"gone": given.get("ref", "")})

    def end(self, _: str) -> None:
        self._path.pop()

    def text(self, said: str) -> None:
        name = {f"{TUBE} videoId": "video", f"{TUBE} channelId": "channel", f"{ATOM} uri": "uri"}.get(self._path[-1])
        if name is not None and self._found:
            self._found[-1][name] = self._found[-1].get(name, "") + said

    def entries(self) -> Iterator[tuple[str, str, bool]]:
        for one in self._found:
            if "gone" in one:
                yield one.get("uri", "").rpartition("/channel/")[2], one["gone"].rpartition("yt:video:")[2], True
            else:
                yield one.get("channel", ""), one.get("video", ""), False
