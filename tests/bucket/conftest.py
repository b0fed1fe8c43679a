"""A post with a file, and a door to the store that can be shut."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest
from django.core.files.storage import storages

from regie.core.bucket import Bucket
from regie.media.models import File
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio.content import Content, MediaUse, Part
from regie.studio.models import Post, Variant

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from tests.conftest import Clock


class Door:
    """Shut, the store's address is one where nobody answers."""

    def __init__(self, settings: Any, nowhere: str) -> None:
        self.settings, self.nowhere, self.there = settings, nowhere, settings.STORAGES

    def shut(self, **options: Any) -> Bucket:
        """The same store with other settings: by default an address where nobody listens."""
        how = self.there["default"]
        changed = {**how, "OPTIONS": {**how["OPTIONS"], **(options or {"endpoint_url": self.nowhere})}}
        self.settings.STORAGES = {**self.there, "default": changed}
        return cast(Bucket, storages["default"])

    def open(self) -> None:
        self.settings.STORAGES = self.there


@pytest.fixture
def door(bucket: Bucket, settings: Any) -> Iterator[Door]:
    with socket.socket() as taken:  # bound and not listening: whoever knocks is turned away at once
        taken.bind(("127.0.0.1", 0))
        yield Door(settings, f"http://127.0.0.1:{taken.getsockname()[1]}")


@pytest.fixture
def without_copies(bucket: Bucket) -> Callable[[], None]:
    """Takes every copy off this machine, as if another had done the work so far."""

    def forget() -> None:
        for path in bucket.copies.folder.rglob("*"):
            if path.is_file():
                path.unlink()

    return forget


@pytest.fixture
def promised(bob: Member, clock: Clock, transactional_db: None) -> Callable[[File, Account], Delivery]:
    """A post with that file, promised to that account at 09:30."""
    from regie.core.times import WallTime
    from regie.publishing import services

    def promise(file: File, account: Account) -> Delivery:
        content = Content(parts=[Part(text="Look", media=[MediaUse(file=file.pk)])])
        post = Post.objects.create(workspace=bob.workspace, content=content.as_json(), author=bob.user)
        Variant.objects.create(post=post, account=account)
        return services.schedule(post=post, at=WallTime.at(clock.at("09:30"), "Europe/Paris"), by=bob)[0]

    return promise
