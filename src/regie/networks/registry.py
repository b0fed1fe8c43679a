"""The networks we speak: one line each shows a connector to the whole product."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from regie.networks.protocols import Connector

_WHERE = {
    "facebook": "regie.networks.facebook.connector:Facebook",
    "instagram": "regie.networks.instagram.connector:Instagram",
    "tiktok": "regie.networks.tiktok.connector:TikTok",
    "youtube": "regie.networks.youtube.connector:YouTube",
    "telegram": "regie.networks.telegram.connector:Telegram",
    "linkedin": "regie.networks.linkedin.connector:LinkedIn",
    "x": "regie.networks.x.connector:X",
    "pinterest": "regie.networks.pinterest.connector:Pinterest",
    "reddit": "regie.networks.reddit.connector:Reddit",
    "threads": "regie.networks.threads.connector:Threads",
    "bluesky": "regie.networks.bluesky.connector:Bluesky",
    "mastodon": "regie.networks.mastodon.connector:Mastodon",
    "google_business": "regie.networks.google_business.connector:GoogleBusiness",
    "vk": "regie.networks.vk.connector:Vk",
}


def slugs() -> tuple[str, ...]:
    """Every network we have a connector for, in the order people see them."""
    return tuple(_WHERE)


@cache
def connector(slug: str) -> type[Connector]:
    """The connector's class. Raises KeyError for a network that we do not speak."""
    module, name = _WHERE[slug].split(":")
    found: type[Connector] = getattr(import_module(module), name)
    return found
