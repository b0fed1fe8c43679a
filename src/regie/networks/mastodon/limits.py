"""What a server says of itself, and what that makes of our capabilities."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from math import isqrt
from typing import Any
from urllib.parse import urlsplit

from regie.networks.capabilities import (
    Answering,
    Arrival,
    Capabilities,
    Counting,
    ImageLimit,
    MessageKind,
    PollLimit,
    Quota,
    Repeat,
    Repeatable,
    Search,
    SignIn,
    SoundLimit,
    TextLimit,
    VideoLimit,
)
from regie.networks.data import Json
from regie.networks.errors import NetworkError
from regie.networks.mastodon.entities import Instance, NodeInfo, NodeInfoLinks
from regie.networks.mastodon.wire import Wire, parsed

HONOURS_KEY = frozenset(("mastodon", "glitch-soc", "hometown", "mastodon-mock"))
"""Software known to keep Idempotency-Key for an hour. snac was seen to make two posts of one key."""

VIDEOS = ("video/mp4", "video/quicktime", "video/webm")
SOUNDS = {  # what a server calls a sound -> what we call it
    "audio/mpeg": "audio/mpeg",
    "audio/mp3": "audio/mpeg",
    "audio/mp4": "audio/mp4",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/ogg": "audio/ogg",
    "audio/wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
}
PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
SHOWS_WITHIN = Search(visible_within=timedelta(seconds=30))
KEY_HOLDS = Repeatable(for_=timedelta(hours=1), then=SHOWS_WITHIN)

CAN = Capabilities(
    text=TextLimit(longest=500, counting=Counting.MASTODON),
    repeat=SHOWS_WITHIN,  # until we know the server
    sign_in=(SignIn.OAUTH,),
    link_card=True,
    images=ImageLimit(
        most=4, largest_bytes=16 * 1024 * 1024, largest_pixels=33_177_600, types=PICTURES, longest_alt=1500
    ),
    video=VideoLimit(
        largest_bytes=99 * 1024 * 1024,
        longest=timedelta(hours=12),  # no limit of its own but the bytes
        types=VIDEOS,
        longest_side=2880,  # 8,294,400 pixels, whatever the shape
        longest_alt=1500,
        codecs=("h264", "vp8", "vp9"),  # the server converts what browsers cannot play
        audio_codecs=("aac", "opus", "vorbis"),
        cover=ImageLimit(most=1, largest_bytes=2_000_000, types=("image/jpeg", "image/png"), longest_side=1280),
    ),
    sounds=SoundLimit(largest_bytes=99 * 1024 * 1024, types=("audio/mpeg", "audio/mp4", "audio/ogg", "audio/wav")),
    poll=PollLimit(
        most_options=4,
        longest_option=50,
        shortest=timedelta(minutes=5),
        longest=timedelta(days=30),
        multiple=True,
        hide_totals=True,
    ),
    thread=50,
    first_comment=True,
    content_warning=TextLimit(longest=500, counting=Counting.GRAPHEMES),
    sensitive=True,
    visibility=("public", "unlisted", "private", "direct"),
    languages=True,
    edit=True,
    edit_comment=True,
    delete=True,
    reads=frozenset((MessageKind.REPLY, MessageKind.MENTION, MessageKind.DIRECT)),
    answers=frozenset((Answering.REPLY, Answering.LIKE, Answering.DELETE_OWN)),
    arrival=(Arrival.STREAM, Arrival.POLL),
    post_metrics=("likes", "shares", "replies", "quotes", "votes"),
    account_metrics=("followers", "following", "posts"),
    quotas=(
        Quota(
            name="requests",
            limit=300,
            per=timedelta(minutes=5),
            cost=(("publish", 1), ("read", 1), ("upload", 1), ("delete", 1), ("like", 1)),
        ),
        Quota(name="posts", limit=300, per=timedelta(hours=3)),
        Quota(name="uploads", limit=30, per=timedelta(minutes=30), cost=(("upload", 1),)),
        Quota(name="deletions", limit=30, per=timedelta(minutes=30), cost=(("delete", 1),)),
    ),
    in_flight=2,
)
"""Mastodon 4.x as it comes. Quotas: config/initializers/rack_attack.rb and app/lib/rate_limiter.rb of Mastodon."""


def can_on(limits: Json) -> Capabilities:
    """What one server takes, from what ``whoami`` kept of it."""
    if not limits:
        return CAN
    assert CAN.images is not None
    assert CAN.video is not None
    characters = limits.get("characters") or CAN.text.longest
    snac = limits.get("software") == "snac"
    return replace(
        CAN,
        text=TextLimit(longest=characters, counting=Counting.MASTODON),
        repeat=_repeat(limits),
        images=replace(
            CAN.images,
            most=limits.get("media") or CAN.images.most,
            largest_bytes=limits.get("image_bytes") or CAN.images.largest_bytes,
            largest_pixels=limits.get("image_pixels") or CAN.images.largest_pixels,
            types=tuple(t for t in PICTURES if t in limits.get("mime_types", ())) or PICTURES,
            longest_alt=limits.get("alt") or CAN.images.longest_alt,
        ),
        video=None if snac else _video(CAN.video, limits),
        sounds=None if snac else _sounds(limits),
        poll=None if snac else _poll(limits),  # snac takes a post with a poll and drops the poll
        content_warning=TextLimit(longest=characters, counting=Counting.GRAPHEMES),
        delete=not snac,  # snac has no such call
        answers=CAN.answers - {Answering.DELETE_OWN} if snac else CAN.answers,
        arrival=CAN.arrival if limits.get("streaming") else (Arrival.POLL,),
        quotas=CAN.quotas if limits.get("software") in HONOURS_KEY else (),
        in_flight=1 if snac else CAN.in_flight,
    )


def _video(usual: VideoLimit, limits: Json) -> VideoLimit | None:
    """None on a server that lists the types it takes, and no video among them."""
    taken = limits.get("mime_types") or VIDEOS
    types = tuple(one for one in VIDEOS if one in taken)
    if not types:
        return None
    pixels = limits.get("video_pixels")
    return replace(
        usual,
        largest_bytes=limits.get("video_bytes") or usual.largest_bytes,
        longest_side=isqrt(pixels) if pixels else usual.longest_side,
        longest_alt=limits.get("alt") or usual.longest_alt,
        types=types,
    )


def _sounds(limits: Json) -> SoundLimit | None:
    """None on a server that lists the types it takes, and no sound among them. As large as videos may be."""
    assert CAN.sounds is not None
    taken = limits.get("mime_types") or SOUNDS
    types = tuple(dict.fromkeys(ours for theirs, ours in SOUNDS.items() if theirs in taken))
    if not types:
        return None
    return replace(CAN.sounds, types=types, largest_bytes=limits.get("video_bytes") or CAN.sounds.largest_bytes)


def shows_within(limits: Json) -> timedelta:
    """``visible_seconds``: where a server was measured to list new posts sooner, or only later."""
    seconds = limits.get("visible_seconds")
    return timedelta(seconds=seconds) if seconds else SHOWS_WITHIN.visible_within


def _repeat(limits: Json) -> Repeat:
    search = Search(visible_within=shows_within(limits))
    return replace(KEY_HOLDS, then=search) if limits.get("honours_key") else search


def _poll(limits: Json) -> PollLimit | None:
    assert CAN.poll is not None
    if not limits.get("poll_options"):
        return None
    return replace(
        CAN.poll,
        most_options=limits["poll_options"],
        longest_option=limits.get("poll_option_characters") or CAN.poll.longest_option,
        shortest=timedelta(seconds=limits.get("poll_shortest") or 300),
        longest=timedelta(seconds=limits.get("poll_longest") or 2_629_746),
    )


async def server_limits(wire: Wire) -> dict[str, Any]:
    """Ask a server for its limits: instance version 2, or version 1 where there is no 2, and its software's name."""
    instance = await _instance(wire)
    name, version = await _software(wire, instance)
    configuration = instance.configuration
    streaming = configuration.urls.streaming or instance.urls.streaming or instance.urls.streaming_api or ""
    polls = configuration.polls
    return {
        "software": name,
        "software_version": version,
        "api_version": instance.api_versions.mastodon,
        "honours_key": name in HONOURS_KEY,
        "characters": configuration.statuses.max_characters or instance.max_toot_chars,
        "reserved_per_url": configuration.statuses.characters_reserved_per_url,
        "media": configuration.statuses.max_media_attachments,
        "image_bytes": configuration.media_attachments.image_size_limit,
        "video_bytes": configuration.media_attachments.video_size_limit,
        "video_pixels": configuration.media_attachments.video_matrix_limit,
        "image_pixels": configuration.media_attachments.image_matrix_limit,
        "mime_types": list(configuration.media_attachments.supported_mime_types),
        "alt": configuration.media_attachments.description_limit,
        "poll_options": polls.max_options if polls else None,
        "poll_option_characters": polls.max_characters_per_option if polls else None,
        "poll_shortest": polls.min_expiration if polls else None,
        "poll_longest": polls.max_expiration if polls else None,
        "streaming": streaming,
    }


async def _instance(wire: Wire) -> Instance:
    v2 = await wire.tell("/api/v2/instance")
    answer = v2 if v2.status == 200 else await wire.get("/api/v1/instance")
    return parsed(answer, Instance)


async def _software(wire: Wire, instance: Instance) -> tuple[str, str]:
    """Name and version from nodeinfo, or read out of the version text ("2.7.2 (compatible; Akkoma 3.1)")."""
    try:
        links = parsed(await wire.get("/.well-known/nodeinfo"), NodeInfoLinks).links
        paths = [urlsplit(link.href).path for link in links if "nodeinfo" in link.rel]
        if paths:
            software = parsed(await wire.get(paths[-1]), NodeInfo).software  # on this server, whatever host it names
            return software.name.lower(), software.version
    except NetworkError:
        pass  # an old or a small server: the version text has to do
    return software_in(instance.version)


def software_in(version: str) -> tuple[str, str]:
    """The software behind a version text. Plain numbers are Mastodon's own, or of somebody who claims to be it."""
    if found := re.search(r"compatible; ([\w-]+) ([\w.+-]+)", version):
        return found[1].lower(), found[2]
    for name in ("snac", "gotosocial", "glitch"):
        if name in version.lower():
            return ("glitch-soc" if name == "glitch" else name), version
    return ("mastodon" if re.fullmatch(r"\d+\.\d+\.\d+([-+.]\w+)*", version) else ""), version
