"""A disk that has no room left."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage

from regie.media.models import File, Rendition


class FullDisk(FileSystemStorage):
    """Reads as usual; every write finds the disk full, as the system would say it."""

    def _save(self, name: str, content: Any) -> str:
        raise OSError(errno.ENOSPC, "No space left on device", name)


@pytest.fixture
def full_disk() -> Iterator[Callable[..., None]]:
    """From the moment it is called, nothing more can be written."""
    fields = [File._meta.get_field("file"), File._meta.get_field("thumbnail"), Rendition._meta.get_field("file")]
    before = [field.storage for field in fields]

    def fill(*_files: File) -> None:
        for field in fields:
            field.storage = FullDisk()

    yield fill
    for field, storage in zip(fields, before, strict=True):
        field.storage = storage
