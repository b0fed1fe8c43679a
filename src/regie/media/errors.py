"""What media services refuse, each with a sentence for the person."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils.translation import gettext as _

from regie.core.errors import Problem


class NotAPicture(Problem):
    """The bytes are not a picture that we read, whatever the file is called."""


class Unreadable(Problem):
    """The bytes are not what they seem, or nothing could be made of them. ``sentence`` is English, to be kept."""

    def __init__(self, sentence: str) -> None:
        super().__init__(_(sentence))
        self.sentence = sentence


class NotAVideo(Unreadable):
    """Not a video that we read, or nothing could be made of it."""


class NotASound(Unreadable):
    """Not a sound that we read."""


class NotADocument(Unreadable):
    """Not a document that we read."""


class NotCaptions(Unreadable):
    """Not subtitles that a network would understand."""


class TooBig(Problem):
    """More bytes or more pixels than we take."""


class CannotFit(Problem):
    """No rendition of this file can meet the network's limits."""


class BeingMade(Problem):
    """A video is being made to fit, and is not there yet. ``percent`` of it is done."""

    def __init__(self, said: str, *, percent: int) -> None:
        super().__init__(said)
        self.percent = percent


class UploadOver(Problem):
    """The pieces of a large file no longer fit together: it has to be sent again from where we say."""


NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class DiskFull(Problem):
    """Nothing was saved, as there is no room for it."""

    @staticmethod
    def sentence() -> str:
        return _("There is no room left on the server's disk: nothing was saved. Ask whoever runs Régie to make room.")


@contextmanager
def room_on_disk() -> Iterator[None]:
    """Turns "no space left" into a sentence. Any other error of the file system goes on."""
    try:
        yield
    except OSError as exc:
        if exc.errno in NO_ROOM:
            raise DiskFull(DiskFull.sentence()) from exc
        raise
