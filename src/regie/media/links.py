"""Addresses under which a network fetches a file of ours for a while: signed, and of no use afterwards.

The address says which file and until when, and a signature over both made with the installation's own key. Nothing is
kept, nothing can be listed, and whoever changes a character gets what any unknown address gets.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from regie.core import clock
from regie.media.models import File, Rendition
from regie.media.serving import served

FILE, RENDITION = "f", "r"
PATH = "/media/for-networks/"


def public_url(made: File | Rendition, *, lasts: timedelta) -> str:
    """Where anybody can fetch these bytes until ``lasts`` is over; below ``REGIE_URL``, ending in the file's suffix."""
    kind = FILE if isinstance(made, File) else RENDITION
    until = int((clock.now() + lasts).timestamp())
    suffix = str(made.file.name).rpartition(".")[2]
    return f"{settings.PUBLIC_URL}{PATH}{_signer().sign(f'{kind}{made.pk}-{until}.{suffix}')}/media.{suffix}"


def reachable() -> bool:
    """Whether a network could come and fetch: it needs https and a public name."""
    return str(settings.PUBLIC_URL).startswith("https://")


def _signer() -> Signer:
    return Signer(salt="regie.media.links", sep="~")  # compares in constant time


@require_safe
def fetched(request: HttpRequest, token: str, suffix: str) -> HttpResponseBase:
    """The one page without sign-in that shows a file. Wrong, changed or over: 404, and nothing says which."""
    try:
        named, until = _read(token, suffix)
    except (BadSignature, ValueError):
        raise Http404 from None
    if clock.now() >= until:
        raise Http404
    made = _found(named)
    response = served(
        request, made.file, content_type=made.content_type, tag=f"{named}-{made.size}", cache="private, max-age=600"
    )
    response["X-Robots-Tag"] = "noindex, nofollow"
    seen = made.content_type.startswith(("image/", "video/", "audio/"))
    response["Content-Disposition"] = "inline" if seen else "attachment"  # a document may carry more than words
    return response


def _read(token: str, suffix: str) -> tuple[str, datetime]:
    """What the token names, and until when. Raises BadSignature or ValueError."""
    said, _dot, ending = _signer().unsign(token).partition(".")
    if ending != suffix:
        raise ValueError(suffix)
    named, _dash, until = said.partition("-")
    return named, datetime.fromtimestamp(int(until), UTC)


def _found(named: str) -> File | Rendition:
    rows = File.objects if named[0] == FILE else Rendition.objects.filter(state=Rendition.State.READY)
    made: File | Rendition | None = rows.filter(pk=int(named[1:])).first()
    if made is None:
        raise Http404
    return made
