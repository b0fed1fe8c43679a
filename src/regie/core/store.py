"""Files that are not on this machine: the copies we take of them, and what is said when their store cannot be used.

``bucket.py`` is such a store. Nothing here needs its library, which is there only where it is used.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol, cast
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import Storage
from django.db.models.fields.files import FieldFile
from django.utils._os import safe_join
from django.utils.translation import gettext as _

from regie.core.errors import Problem

log = logging.getLogger(__name__)
IN_USE = 2 * 60 * 60  # seconds: a copy that was asked for so lately may be on its way to a network
PIECE = 1024 * 1024
PART = ".part"


class StoreAway(Problem):
    """The store of the files cannot be used. ``why`` is a word of ``bucket.why``; ``__cause__`` has the rest."""

    status = 503

    def __init__(self, why: str) -> None:
        super().__init__(
            _(
                "The store that holds the files cannot be reached: nothing was changed. Try again in a few minutes; "
                "whoever runs Régie can find out more with “regie doctor”."
            )
        )
        self.why = why


class NotHere(Exception):
    """These files have to be brought to this machine first: ``bring`` them, where waiting disturbs nobody."""

    def __init__(self, *names: tuple[Storage, str]) -> None:
        super().__init__(*(name for _storage, name in names))
        self.names = names


class Opened(Protocol):
    """Bytes that come: ``size`` of them."""

    @property
    def size(self) -> int: ...
    def read(self, size: int = -1, /) -> bytes: ...
    def close(self) -> None: ...


class Remote(Protocol):
    """A storage whose files are elsewhere."""

    def here(self, name: str) -> Path:
        """A copy on this machine, fetched if need be. Raises FileNotFoundError, StoreAway, NotHere."""

    def streamed(self, name: str, first: int = 0, last: int | None = None) -> Opened:
        """Its bytes from ``first`` to ``last``, both meant, without a copy. Raises FileNotFoundError, StoreAway."""

    @property
    def copies(self) -> Copies: ...


def remote(storage: Storage) -> Remote | None:
    """The storage, when its files are elsewhere."""
    return cast(Remote, storage) if hasattr(storage, "here") else None


def path_of(stored: FieldFile) -> Path:
    """Where a stored file can be read on this machine: where it lies, or our copy of it, kept for ``IN_USE`` at least.

    Raises FileNotFoundError when the store no longer has it, StoreAway, NotHere.
    """
    elsewhere = remote(stored.storage)
    return elsewhere.here(str(stored.name)) if elsewhere is not None else Path(stored.path)


def streamed(stored: FieldFile, first: int = 0, last: int | None = None) -> Opened:
    """For those who pass bytes on: a file that is here, or what comes from the store. Raises as ``Remote.streamed``."""
    elsewhere, name = remote(stored.storage), str(stored.name)
    if elsewhere is None:
        opened = stored.storage.open(name, "rb")
    elif (copy := elsewhere.copies.found(name)) is not None:
        opened = File(copy.open("rb"), name)
    else:
        return elsewhere.streamed(name, first, last)
    opened.seek(first)
    return opened


def size_of(stored: FieldFile) -> int:
    """Bytes. Raises FileNotFoundError, StoreAway."""
    return stored.storage.size(str(stored.name))


def forget(storage: Storage, name: str) -> None:
    """Deletes bytes that nothing refers to any more. While the store is away they stay, which does no harm."""
    try:
        storage.delete(name)
    except StoreAway as exc:
        log.warning("%s stays in the store, though nothing refers to it: %s", name, exc.__cause__)


_fetching: ContextVar[bool] = ContextVar("fetching", default=True)


@contextmanager
def only_what_is_here() -> Iterator[None]:
    """In this block what is not here raises NotHere instead of being waited for."""
    token = _fetching.set(False)
    try:
        yield
    finally:
        _fetching.reset(token)


def bring(one: tuple[Storage, str]) -> None:
    """Fetches one of those that NotHere named. Raises FileNotFoundError, StoreAway."""
    storage, name = one
    cast(Remote, storage).here(name)


@dataclass
class Copies:
    """A folder of copies, those longest unused taken away first. Shared by the processes of a machine."""

    folder: Path
    most_bytes: int

    def __post_init__(self) -> None:
        self._lock, self._since = threading.Lock(), self.most_bytes  # the first copy looks at what is there

    def place(self, name: str) -> Path:
        return Path(safe_join(str(self.folder), name))

    def found(self, name: str) -> Path | None:
        """The copy, marked as used now. None: there is none."""
        place = self.place(name)
        try:
            os.utime(place)
        except FileNotFoundError:
            return None
        return place

    def get(self, storage: Storage, name: str, write: Callable[[IO[bytes]], object]) -> Path:
        """The copy; ``write`` fetches the bytes where there is none. Half of one is never seen."""
        if (place := self.found(name)) is not None:
            return place
        if not _fetching.get():
            raise NotHere((storage, name))
        return self.put(name, write)

    def put(self, name: str, write: Callable[[IO[bytes]], object]) -> Path:
        place = self.place(name)
        self._make_room(whole(place, write))
        return place

    def forget(self, name: str) -> None:
        self.place(name).unlink(missing_ok=True)

    def _make_room(self, written: int) -> None:
        with self._lock:
            self._since += written
            if self._since < self.most_bytes // 20:
                return
            self._since = 0
        self.sweep()

    def sweep(self) -> None:
        """Brings the folder within its bytes. What was used lately stays, even when that is more."""
        found = sorted(_files(self.folder), key=lambda one: one[1].st_mtime)
        total, old = sum(stat.st_size for _place, stat in found), time.time() - IN_USE
        for place, stat in found:
            if stat.st_mtime > old:
                return
            if total > self.most_bytes or place.suffix == PART:
                with suppress(FileNotFoundError):
                    place.unlink()
                total -= stat.st_size


def whole(place: Path, write: Callable[[IO[bytes]], object]) -> int:
    """Writes a file that appears when it is whole, readable by its owner only. Returns its bytes."""
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = place.with_name(f"{place.name}.{uuid4().hex}{PART}")
    try:
        with part.open("xb") as file:
            part.chmod(0o600)
            write(file)
            written = file.tell()
        part.replace(place)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return written


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for where, _folders, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # another process takes away, too
                yield (place := Path(where, name)), place.stat()


def copied(source: Any, to: IO[bytes]) -> None:
    """In pieces, from anything that can be read."""
    while piece := source.read(PIECE):
        to.write(piece)
