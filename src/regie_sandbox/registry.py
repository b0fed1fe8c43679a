"""The sandbox networks: one line each."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from regie_sandbox.frame import Network, World

_WHERE = {
    "mastodon": "regie_sandbox.mastodon.app:Mastodon",
    "bluesky": "regie_sandbox.bluesky.app:Bluesky",
    "telegram": "regie_sandbox.telegram.app:Telegram",
    "instagram": "regie_sandbox.instagram.app:Instagram",
    "facebook": "regie_sandbox.facebook.app:Facebook",
    "pinterest": "regie_sandbox.pinterest.app:Pinterest",
    "vk": "regie_sandbox.vk.app:Vk",
    "tiktok": "regie_sandbox.tiktok.app:TikTok",
    "youtube": "regie_sandbox.youtube.app:YouTube",
    "x": "regie_sandbox.x.app:X",
    "linkedin": "regie_sandbox.linkedin.app:LinkedIn",
    "reddit": "regie_sandbox.reddit.app:Reddit",
    "threads": "regie_sandbox.threads.app:Threads",
    "google_business": "regie_sandbox.google_business.app:GoogleBusiness",
}


def slugs() -> tuple[str, ...]:
    return tuple(slug for slug, where in _WHERE.items() if _is_there(where.split(":")[0]))


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def network(slug: str, world: World) -> Network:
    """A network of this world. Raises KeyError for one that we do not have."""
    module, name = _WHERE[slug].split(":")
    made: Network = getattr(import_module(module), name)(world)
    return made


def whole_world(*, world: World, only: tuple[str, ...] | None = None) -> World:
    """The world with every network in it, or only those named."""
    for slug in only or slugs():
        network(slug, world)
    return world
