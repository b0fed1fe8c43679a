"""The pictures of our accounts: fetched through the guarded session, drawn anew, served by us."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

import aiohttp
from django.core.files.base import ContentFile
from PIL import Image, ImageOps, UnidentifiedImageError

from regie.accounts.models import Account
from regie.accounts.opening import session
from regie.core.store import StoreAway, forget
from regie.core.threads import in_thread

LARGEST = 2 * 1024 * 1024  # bytes of the picture as it comes
MOST_PIXELS = 16_000_000
SIDE = 192  # pixels of ours: shown at 96 at most, sharp on a phone
KINDS = ("JPEG", "PNG", "WEBP", "GIF")
TIMEOUT = aiohttp.ClientTimeout(total=15)


class NoPicture(ValueError):
    """What came is too big, or not a picture."""


async def fetch(account_id: int) -> bool:
    """Fetches the picture that the network shows for an account. Returns whether we have it now.

    A network that does not give it changes nothing: the account keeps its older picture, or its initials.
    """
    account = await in_thread(Account.objects.get, pk=account_id)
    if not account.avatar_source.startswith(("https://", "http://")):
        return False
    try:
        async with session(connections=1) as http:
            raw = await download(http, account.avatar_source)
        await in_thread(keep, account, raw)
    except (aiohttp.ClientError, TimeoutError, OSError, NoPicture, StoreAway):
        return False
    return True


async def download(http: aiohttp.ClientSession, url: str) -> bytes:
    """The picture as it comes, through a guarded session: every hop of a redirect is guarded where the connection is
    made. Raises NoPicture when it is too heavy."""
    async with http.get(url, timeout=TIMEOUT, max_redirects=3) as reply:
        reply.raise_for_status()
        raw = bytearray()
        async for piece in reply.content.iter_chunked(64 * 1024):
            raw += piece
            if len(raw) > LARGEST:
                raise NoPicture("The picture is too heavy.")
        return bytes(raw)


def keep(account: Account, raw: bytes) -> None:
    """Reads the picture to its last pixel and draws it anew, so nothing but a picture is ever served."""
    small = drawn_anew(raw)
    name = f"{account.pk}-{hashlib.sha256(small).hexdigest()[:12]}.webp"
    older = account.avatar.name
    if older and Path(older).name.startswith(Path(name).stem):
        return
    account.avatar.save(name, ContentFile(small), save=False)
    account.save(update_fields=["avatar"])
    if older:
        forget(account.avatar.storage, older)


def drawn_anew(raw: bytes) -> bytes:
    """A square WebP. Raises NoPicture."""
    try:
        with Image.open(BytesIO(raw), formats=KINDS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise NoPicture("The picture has too many pixels.")
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as exc:
        raise NoPicture("This is not a picture.") from exc
    made = BytesIO()
    ImageOps.fit(upright, (SIDE, SIDE), Image.Resampling.LANCZOS).save(made, "WEBP", quality=85)
    return made.getvalue()
