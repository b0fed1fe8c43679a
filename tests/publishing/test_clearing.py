"""Files taken out of the library go for good a month later, with their bytes, unless a post or its proof needs them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from django.core.files.storage import default_storage

from regie.accounts.models import Account
from regie.media import services as media
from regie.media.models import File, Rendition
from regie.networks.capabilities import ImageLimit
from regie.people.models import Member
from regie.publishing.clearing import forget_removed_files
from regie.publishing.models import Delivery, Step
from regie.studio.content import Content, MediaUse, Part
from regie.studio.models import Post
from regie.studio.services import Given, Written, save

if TYPE_CHECKING:
    from tests.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def upload(alice: Member, picture: Callable[..., BytesIO]) -> Callable[[], File]:
    sizes = iter(range(300, 400))

    def one() -> File:
        source = picture(width=next(sizes))
        return media.upload(workspace=alice.workspace, name="linen.jpg", source=source, by=alice)

    return one


@pytest.fixture
def saying(account: Account, alice: Member) -> Callable[..., Post]:
    """Saves a post with that picture, or changes it to say another."""

    def write(file: File, post: Post | None = None) -> Post:
        content = Content(parts=[Part(text="Linen", media=[MediaUse(file=file.pk)])])
        return save(
            post=post,
            workspace=alice.workspace,
            written=Written(content=content, on={account.pk: Given()}),
            version=post.version if post else 0,
            by=alice,
        )

    return write


def names_of(*files: File) -> list[str]:
    made = Rendition.objects.filter(original__in=files)
    return [str(kept.name) for one in files for kept in (one.file, one.thumbnail) if kept] + [
        str(one.file.name) for one in made
    ]


def test_a_file_that_nothing_needs_goes_with_its_renditions_after_a_month(
    clock: Clock, alice: Member, upload: Callable[[], File]
) -> None:
    removed, kept = upload(), upload()
    media.rendition_for(removed, ImageLimit(most=1, largest_bytes=10**6, types=("image/jpeg",), longest_side=100))
    media.remove(files=[removed], by=alice)
    names = names_of(removed)
    assert len(names) == 3
    clock.advance(days=29)
    assert forget_removed_files() == 0
    clock.advance(days=2)
    assert forget_removed_files() == 1
    assert list(File.objects.all()) == [kept]
    assert not any(default_storage.exists(name) for name in names)
    assert all(default_storage.exists(name) for name in names_of(kept))


def test_what_a_post_says_stays(
    clock: Clock, alice: Member, upload: Callable[[], File], saying: Callable[..., Post]
) -> None:
    file = upload()
    saying(file)
    media.remove(files=[file], by=alice)
    clock.advance(days=31)
    assert forget_removed_files() == 0
    assert all(default_storage.exists(name) for name in names_of(file))


def test_what_a_part_said_stays_when_its_post_says_something_else_now(
    clock: Clock,
    alice: Member,
    upload: Callable[[], File],
    saying: Callable[..., Post],
    promise: Callable[..., Delivery],
) -> None:
    file, other = upload(), upload()
    post = saying(file)
    delivery = promise(post)
    saying(other, post)
    assert file.posts.count() == 0
    media.remove(files=[file], by=alice)
    step = Step.objects.get(delivery=delivery)
    step.content = {"text": "Linen", "media": [{"file": file.pk, "alt": ""}]}
    step.save()
    clock.advance(days=31)
    assert forget_removed_files() == 0
    assert all(default_storage.exists(name) for name in names_of(file))
