"""Looking at pictures and making others of them. Pillow only: no tables, no storage, no requests.

What a file is, is read from its bytes; its name and what the browser says of it count for nothing.
"""

from __future__ import annotations

import math
import threading
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import IO

import pi_heif
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from regie.media.errors import CannotFit, NotAPicture, TooBig
from regie.media.shapes import Piece, piece_within
from regie.networks.capabilities import ImageLimit

MOST_PIXELS = 100_000_000
MOST_BYTES = 60 * 1024 * 1024
THUMBNAIL = 480  # longest side, in pixels
TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # a camera's JPEG with a second picture behind the first
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "HEIF": "image/heic",
}
SUFFIX = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/heic": "heic",
}
QUALITIES = (90, 84, 76, 66)
TELLTALES = frozenset(("exif", "xmp", "XML:com.adobe.xmp", "comment", "photoshop"))  # where metadata hides
SMALLEST_SIDE = 64  # below this, a picture made to fit is of no use to anybody

pi_heif.register_heif_opener()
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

_one_at_a_time = threading.BoundedSemaphore(1)
"""A decoded picture takes up to 400 MB: a process holds one of them at a time."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file turned out to be. ``width`` and ``height`` as it is seen, after turning it upright."""

    content_type: str
    width: int
    height: int
    animated: bool
    thumbnail: bytes  # WebP


@dataclass(frozen=True, slots=True)
class Made:
    """A picture made of another. ``data`` None: the original as it is, byte for byte."""

    content_type: str
    width: int
    height: int
    data: bytes | None


def look(source: IO[bytes]) -> Looked:
    """Reads a picture to its last pixel, and makes its thumbnail.

    Raises NotAPicture for anything that is no picture or is damaged, TooBig past MOST_PIXELS.
    """
    with _one_at_a_time:
        image = _opened(source)
        kind = TYPES[image.format or ""]
        width, height = _upright(image)
        animated = bool(getattr(image, "is_animated", False)) and image.format != "MPO"
        return Looked(kind, width, height, animated, _thumbnail(image))


def make(
    source: IO[bytes], limits: ImageLimit, *, focus: tuple[float, float] = (0.0, 0.0), animated_too: bool = True
) -> Made:
    """The picture within ``limits``, as near to the original as they allow; metadata (places, cameras) is taken out.

    focus: the point (-1..1, y up) that stays in view where the network's ratio asks for a cut
    Raises CannotFit when no rendition would do, NotAPicture when the file can no longer be read.
    """
    size = source.seek(0, 2)
    source.seek(0)
    with _one_at_a_time:
        image = _opened(source)
        kind = TYPES[image.format or ""]
        width, height = _upright(image)
        piece = piece_within(width, height, focus, limits.tallest, limits.broadest)
        inside = _inside(width, height, piece)
        _check_ratio(*inside, limits)
        wanted = _fitting(*inside, limits)
        moves = bool(getattr(image, "is_animated", False)) and image.format != "MPO"
        as_it_is = kind in limits.types and wanted == (width, height) and size <= limits.largest_bytes
        if as_it_is and ((moves and animated_too) or _is_clean(image)):
            return Made(kind, width, height, None)
        if as_it_is and image.format == "JPEG" and not _is_turned(image):
            kept = _saved(image, "image/jpeg", quality="keep")
            if len(kept) <= limits.largest_bytes:
                return Made(kind, width, height, kept)
        return _made(_cut(image, wanted, piece), kind, limits)


def recipe(limits: ImageLimit, width: int, height: int, focus: tuple[float, float]) -> str:
    """A short name for what ``make`` would be asked to do: equal limits, equal rendition.

    The point that matters counts only where something is cut away.
    """
    types = "+".join(sorted(SUFFIX.get(t, t.rsplit("/")[-1]) for t in limits.types))
    numbers = (limits.largest_bytes, limits.largest_pixels, limits.longest_side, limits.side_sum, limits.widest_ratio)
    piece = piece_within(width, height, focus, limits.tallest, limits.broadest)
    cut = "" if piece.is_all else f":{piece.left:.3f},{piece.top:.3f},{piece.width:.3f},{piece.height:.3f}"
    return f"1:{types}:" + ":".join("-" if number is None else f"{number:g}" for number in numbers) + cut


def needs_making(content_type: str, size: int, width: int, height: int, limits: ImageLimit) -> bool:
    """Whether the picture will be changed to fit, as far as can be told without opening it."""
    return (
        content_type not in limits.types
        or size > limits.largest_bytes
        or is_cut(width, height, limits)
        or _fitting(width, height, limits) != (width, height)
    )


def is_cut(width: int, height: int, limits: ImageLimit) -> bool:
    """Whether something of it is cut away, as the network takes no picture of its shape."""
    return not piece_within(width, height, (0, 0), limits.tallest, limits.broadest).is_all


def is_too_thin(width: int, height: int, limits: ImageLimit) -> bool:
    """Whether it is longer, for its width, than the network takes: nothing but cropping helps."""
    width, height = _inside(width, height, piece_within(width, height, (0, 0), limits.tallest, limits.broadest))
    ratio = max(width, height) / max(1, min(width, height))
    return limits.widest_ratio is not None and ratio > limits.widest_ratio


def _opened(source: IO[bytes]) -> Image.Image:
    source.seek(0)
    try:
        image = Image.open(source, formats=[kind for kind in TYPES if kind != "MPO"])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooBig(_too_many_pixels()) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        raise NotAPicture(
            _("This is not a picture we can read. Use a JPEG, PNG, WebP, GIF or HEIC file; its name does not matter.")
        ) from None
    if image.width * image.height > MOST_PIXELS:
        raise TooBig(_too_many_pixels())
    return image


def _too_many_pixels() -> str:
    return _("This picture has more than 100 million pixels. Make it smaller, then upload it again.")


def _read(image: Image.Image, draft: tuple[int, int] | None = None) -> None:
    """Decodes the first frame; a JPEG at about ``draft`` when that is enough, which takes far less memory."""
    try:
        if draft is not None and image.format in ("JPEG", "MPO"):
            image.draft(None, draft)
        image.load()
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        raise NotAPicture(_("This picture is damaged or was cut short. Export it again, then upload it.")) from None


def _is_turned(image: Image.Image) -> bool:
    return bool(image.getexif().get(0x0112, 1) != 1)


def _upright(image: Image.Image) -> tuple[int, int]:
    """Width and height as the picture is seen."""
    if image.format != "HEIF" and image.getexif().get(0x0112, 1) in (5, 6, 7, 8):
        return image.height, image.width
    return image.width, image.height


def _is_clean(image: Image.Image) -> bool:
    """Whether the file carries nothing but the picture: no place, camera, author or comment."""
    return len(image.getexif()) == 0 and not TELLTALES & {str(key) for key in image.info}


def _plain(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The first frame, upright, in 8 bits of grey or colour, scaled to ``size``."""
    _read(image, size)
    turned = ImageOps.exif_transpose(image)
    plain = _in_colour(turned)
    if plain.size != size:
        plain = plain.resize(size, Image.Resampling.LANCZOS)
    profile = image.info.get("icc_profile")
    plain.info = {"icc_profile": profile} if profile and image.mode in ("RGB", "RGBA") else {}
    return plain


def _inside(width: int, height: int, piece: Piece) -> tuple[int, int]:
    return max(1, round(width * piece.width)), max(1, round(height * piece.height))


def _cut(image: Image.Image, size: tuple[int, int], piece: Piece) -> Image.Image:
    """The piece of the picture, scaled to ``size``."""
    whole = _plain(image, (round(size[0] / piece.width), round(size[1] / piece.height)))
    if piece.is_all:
        return whole
    left, top = round(whole.width * piece.left), round(whole.height * piece.top)
    left, top = min(left, whole.width - size[0]), min(top, whole.height - size[1])
    cut = whole.crop((left, top, left + size[0], top + size[1]))
    cut.info = whole.info
    return cut


def _in_colour(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "RGBA", "L"):
        return image
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value / 256).convert("L")
    if image.mode in ("LA", "PA") or "transparency" in image.info:
        return image.convert("RGBA")
    return image.convert("RGB")


def _thumbnail(image: Image.Image) -> bytes:
    width, height = _upright(image)
    scale = min(1.0, THUMBNAIL / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return _saved(_plain(image, size), "image/webp", quality=80)


def _check_ratio(width: int, height: int, limits: ImageLimit) -> None:
    if is_too_thin(width, height, limits):
        raise CannotFit(_("This picture is too long and thin for the network: crop it."))


def _fitting(width: int, height: int, limits: ImageLimit) -> tuple[int, int]:
    """The largest size of the same shape within the limits."""
    scale = 1.0
    if limits.longest_side is not None:
        scale = min(scale, limits.longest_side / max(width, height))
    if limits.side_sum is not None:
        scale = min(scale, limits.side_sum / (width + height))
    if limits.largest_pixels is not None:
        scale = min(scale, math.sqrt(limits.largest_pixels / (width * height)))
    return (width, height) if scale >= 1 else _scaled((width, height), scale)


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, math.floor(size[0] * scale)), max(1, math.floor(size[1] * scale))


def _kinds(image: Image.Image, kind: str, limits: ImageLimit) -> list[str]:
    """Which types to try, best first. A see-through picture stays so while the network takes it."""
    see_through = image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255)
    smaller = ("image/webp", "image/png") if see_through else ("image/jpeg", "image/webp", "image/png")
    taken = [one for one in (*smaller, "image/jpeg") if one in limits.types][:1]
    exact = [kind] if kind == "image/png" and kind in limits.types else []
    found = list(dict.fromkeys([*exact, *taken]))
    if not found:
        raise CannotFit(_("The network takes no type of picture that we can make."))
    return found


def _made(image: Image.Image, kind: str, limits: ImageLimit) -> Made:
    """Encodes with less and less quality, then smaller and smaller, until it is within the bytes."""
    kinds = _kinds(image, kind, limits)
    while min(image.size) >= min(SMALLEST_SIDE, *image.size) and max(image.size) >= SMALLEST_SIDE:
        sizes = []
        for one in kinds:
            for quality in QUALITIES if one != "image/png" else (0,):
                data = _saved(image, one, quality=quality)
                if len(data) <= limits.largest_bytes:
                    return Made(one, *image.size, data)
                sizes.append(len(data))
        shrink = min(0.85, 0.95 * math.sqrt(limits.largest_bytes / min(sizes)))
        image = image.resize(_scaled(image.size, max(shrink, 0.3)), Image.Resampling.LANCZOS)
    data = _saved(image, kinds[-1], quality=QUALITIES[-1])
    if len(data) <= limits.largest_bytes:
        return Made(kinds[-1], *image.size, data)
    raise CannotFit(_("This picture cannot be made small enough for the network."))


def _saved(image: Image.Image, kind: str, *, quality: int | str) -> bytes:
    to = BytesIO()
    profile = image.info.get("icc_profile")
    if kind == "image/jpeg":
        flat = image if quality == "keep" else _flat(image)
        flat.save(
            to, "JPEG", quality=quality, optimize=True, progressive=True, icc_profile=profile, exif=b"", comment=b""
        )
    elif kind == "image/webp":
        image.save(to, "WEBP", quality=quality, method=4, icc_profile=profile, exif=b"")
    else:
        clean = image.copy()
        clean.info = {}
        clean.save(to, "PNG", optimize=image.width * image.height < 4_000_000, icc_profile=profile)
    return to.getvalue()


def _flat(image: Image.Image) -> Image.Image:
    """On white, for a type that knows no transparency."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    return ground
