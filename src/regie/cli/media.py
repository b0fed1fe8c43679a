"""``regie media copy``: the media from the folder into the bucket, or back. Nothing is taken away where they were."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from regie.cli.django import ready, tell
from regie.cli.errors import Stop
from regie.config.env import env

if TYPE_CHECKING:
    from regie.core.bucket import Bucket

TELL_EVERY = 100  # files
BATCH = 500


def copy(*, to: str) -> int:
    """Copies every file that a row names and the other place has not. Exit code 1 when some are nowhere."""
    if not env().media_store:
        raise Stop("There is no bucket: REGIE_MEDIA_STORE is not set.")
    with ready():
        from django.core.files.storage import default_storage

        bucket = cast("Bucket", default_storage)
        if said := bucket.try_out():
            raise Stop(said)
        return all_of_them(bucket, env().data / "media", to=to)


def all_of_them(bucket: Bucket, folder: Path, *, to: str) -> int:
    """Prints how many there were. Raises Stop when the store goes away meanwhile; what is copied stays."""
    from regie.core.store import StoreAway

    one = _to_bucket if to == "bucket" else _to_folder
    try:
        return _each(lambda name: one(bucket, folder, name))
    except StoreAway as exc:
        raise Stop("The store stopped answering. What is copied stays: run the same again.") from exc


def _each(one: Callable[[str], bool]) -> int:
    copied = there = 0
    missing = []
    for number, name in enumerate(_names(), start=1):
        try:
            new = one(name)
        except FileNotFoundError:
            missing.append(name)
        else:
            copied, there = copied + new, there + (not new)
        if number % TELL_EVERY == 0:
            tell(f"{number} files looked at, {copied} copied.")
    sys.stdout.write(f"{copied} copied, {there} were there already, {len(missing)} missing.\n")
    for name in missing:
        sys.stdout.write(f"missing: {name}\n")
    return 1 if missing else 0


def _names() -> Iterator[str]:
    """Each stored name once, of whatever table."""
    from regie.accounts.models import Account
    from regie.community.models import Avatar
    from regie.media.models import File, Rendition

    columns = ((File, "file"), (File, "thumbnail"), (Rendition, "file"), (Account, "avatar"), (Avatar, "picture"))
    seen: set[str] = set()  # a rendition may be its original
    for model, column in columns:
        for name in model._default_manager.exclude(**{column: ""}).values_list(column, flat=True).iterator(BATCH):
            if name not in seen:
                seen.add(name)
                yield name


def _to_bucket(bucket: Bucket, folder: Path, name: str) -> bool:
    """Whether it had to be copied. What is there with the same length is the same: names are never used twice."""
    place = folder / name
    there = _size(bucket, name)
    if there is not None and (not place.exists() or there == place.stat().st_size):
        return False
    bucket.put_as(name, place)
    return True


def _to_folder(bucket: Bucket, folder: Path, name: str) -> bool:
    place = folder / name
    if place.exists() and place.stat().st_size == bucket.size(name):
        return False
    bucket.fetch_to(name, place)
    return True


def _size(bucket: Bucket, name: str) -> int | None:
    try:
        return bucket.size(name)
    except FileNotFoundError:
        return None
