"""Pictures of the people who speak to us: fetched by a worker through the guarded session, served by us."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO

import aiohttp
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps

from regie.accounts.avatars import download
from regie.accounts.opening import session
from regie.community.models import Avatar
from regie.core import clock
from regie.core.store import StoreAway, forget
from regie.core.threads import in_thread
from regie.media.errors import NotAPicture, TooBig
from regie.media.pictures import look

SIDE = 96  # pixels of ours: shown at 48, sharp on a phone
AT_ONCE = 60
MOST_TRIES = 4
AGAIN = timedelta(hours=6)


async def fetch_waiting() -> int:
    """Fetches the pictures that are due, a few at a time. Returns how many we have now."""
    waiting = await in_thread(due)
    if not waiting:
        return 0
    few = asyncio.Semaphore(6)
    async with session(connections=6) as http:

        async def one(avatar: Avatar) -> bool:
            async with few:
                return await _fetch(http, avatar)

        return sum(await asyncio.gather(*(one(avatar) for avatar in waiting)))


def due() -> Sequence[Avatar]:
    return list(Avatar.objects.filter(next_at__lte=clock.now()).order_by("next_at")[:AT_ONCE])


async def _fetch(http: aiohttp.ClientSession, avatar: Avatar) -> bool:
    try:
        raw = await download(http, avatar.url)
        return await in_thread(keep, avatar, raw)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError, NotAPicture, TooBig, StoreAway):
        await in_thread(_later, avatar)
        return False


def keep(avatar: Avatar, raw: bytes) -> bool:
    """Whatever came is read to its last pixel and drawn anew, so nothing but a picture is ever served."""
    name = f"people/{hashlib.sha256(avatar.url.encode()).hexdigest()[:32]}.webp"
    small = _small(look(BytesIO(raw)).thumbnail)
    saved = default_storage.save(name, ContentFile(small))
    kept = bool(Avatar.objects.filter(pk=avatar.pk).update(picture=saved, next_at=None))
    if unused := avatar.picture if kept else saved:
        forget(default_storage, unused)
    return kept


def _small(webp: bytes) -> bytes:
    with Image.open(BytesIO(webp)) as image:
        square = ImageOps.fit(image.convert("RGBA"), (SIDE, SIDE), Image.Resampling.LANCZOS)
    made = BytesIO()
    square.save(made, "WEBP", quality=82)
    return made.getvalue()


def _later(avatar: Avatar) -> None:
    tries = avatar.tries + 1
    again = clock.now() + AGAIN * 2**tries if tries < MOST_TRIES else None
    Avatar.objects.filter(pk=avatar.pk).update(tries=tries, next_at=again)
