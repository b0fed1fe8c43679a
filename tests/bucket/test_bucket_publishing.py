"""A picture and a video from the bucket to the network: the right bytes, once, also after the store was away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from regie.accounts.models import Account
from regie.core.bucket import Bucket
from regie.media import making, services
from regie.media.models import File, Rendition
from regie.people.models import Member
from regie.publishing.models import Attempt, Delivery

if TYPE_CHECKING:
    from tests.bucket.conftest import Door
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.xdist_group("bucket")
Make = Callable[..., BytesIO]
Promised = Callable[[File, Account], Delivery]
Due = Callable[[], None]


def received(mastodon: Sandbox) -> list[bytes | None]:
    """The files that the network was sent."""
    known = mastodon.itself.state.media.values()
    return [mastodon.itself.world.files.get(f"mastodon-{one.id}") for one in known]


@pytest.fixture
def coat(alice: Member, bucket: Bucket, transactional_db: None) -> Callable[[BytesIO, str], File]:
    def keep(source: BytesIO, name: str) -> File:
        return services.upload(workspace=alice.workspace, name=name, source=source, by=alice)

    return keep


def test_the_network_gets_the_picture_that_was_uploaded(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    coat: Callable[..., File],
    picture: Make,
    promised: Promised,
    without_copies: Callable[[], None],
    publish_due: Due,
) -> None:
    source = picture(noise=True)
    delivery = promised(coat(source, "coat.jpg"), mastodon_account)
    without_copies()
    clock.set("09:30")
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts()) == ("published", ["Look"])
    assert received(mastodon) == [source.getvalue()]


def test_a_picture_that_tells_its_camera_is_made_anew_from_the_bucket_and_kept_there(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    coat: Callable[..., File],
    picture: Make,
    promised: Promised,
    without_copies: Callable[[], None],
    publish_due: Due,
    bucket: Bucket,
) -> None:
    told = Image.Exif()
    told[271] = "A camera of Alice's"  # its maker
    delivery = promised(coat(picture(exif=told), "coat.jpg"), mastodon_account)
    without_copies()
    clock.set("09:30")
    publish_due()
    delivery.refresh_from_db()
    (sent,), made = received(mastodon), Rendition.objects.get()
    assert delivery.state == "published"
    assert sent == bucket.get(str(made.file.name))["Body"].read()
    assert b"camera of Alice" not in (sent or b"camera of Alice")


def test_a_video_is_made_from_the_bucket_and_goes_out(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    coat: Callable[..., File],
    video: Make,
    promised: Promised,
    without_copies: Callable[[], None],
    publish_due: Due,
    bucket: Bucket,
) -> None:
    delivery = promised(coat(video(location="+48.8566+002.3522/"), "wave.mp4"), mastodon_account)
    without_copies()
    rendition = Rendition.objects.get()
    asyncio.run(making.make(rendition.pk))
    rendition.refresh_from_db()
    assert (rendition.state, rendition.size) == ("ready", bucket.size(str(rendition.file.name)))
    without_copies()
    clock.set("09:30")
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "published"
    assert received(mastodon) == [bucket.here(str(rendition.file.name)).read_bytes()]


def test_while_the_store_is_away_a_post_waits_and_then_goes_out_once_with_its_picture(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    coat: Callable[..., File],
    picture: Make,
    promised: Promised,
    without_copies: Callable[[], None],
    publish_due: Due,
    door: Door,
) -> None:
    source = picture(noise=True)
    delivery = promised(coat(source, "coat.jpg"), mastodon_account)
    without_copies()
    door.shut()
    clock.set("09:30")
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts(), received(mastodon)) == ("scheduled", [], [])
    assert "store that holds the files cannot be reached" in delivery.problem
    assert delivery.next_at > clock.moment
    assert not Attempt.objects.filter(kind="commit").exists(), "nothing was begun"

    door.open()
    clock.set(delivery.next_at)
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts(), delivery.problem) == ("published", ["Look"], "")
    assert received(mastodon) == [source.getvalue()]


def test_posts_without_a_file_go_out_while_the_store_is_away(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    door: Door,
    publish_due: Due,
    promised: Promised,
    coat: Callable[..., File],
    picture: Make,
    without_copies: Callable[[], None],
    connect: Callable[..., Account],
) -> None:
    from regie.core.times import WallTime
    from regie.people.models import Member as Members
    from regie.publishing.services import schedule
    from regie.studio.content import Content, Part
    from regie.studio.models import Post, Variant

    promised(coat(picture(), "coat.jpg"), mastodon_account)
    other, bob = connect(mastodon, "shop"), Members.objects.get(user__name="Bob")
    post = Post.objects.create(
        workspace=bob.workspace, content=Content(parts=[Part(text="Words")]).as_json(), author=bob.user
    )
    Variant.objects.create(post=post, account=other)
    schedule(post=post, at=WallTime.at(clock.at("09:30"), "Europe/Paris"), by=bob)
    without_copies()
    door.shut()
    clock.set("09:30")
    publish_due()
    assert (mastodon.texts("shop"), mastodon.texts()) == (["Words"], [])


def test_a_picture_that_is_here_goes_out_while_the_store_is_away(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    coat: Callable[..., File],
    picture: Make,
    promised: Promised,
    publish_due: Due,
    door: Door,
) -> None:
    source = picture(noise=True)
    promised(coat(source, "coat.jpg"), mastodon_account)
    door.shut()
    clock.set("09:30")
    publish_due()
    assert (mastodon.texts(), received(mastodon)) == (["Look"], [source.getvalue()])


def test_a_file_that_left_the_bucket_is_refused_in_words(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    coat: Callable[..., File],
    picture: Make,
    promised: Promised,
    publish_due: Due,
) -> None:
    file = coat(picture(), "coat.jpg")
    delivery = promised(file, mastodon_account)
    file.file.storage.delete(str(file.file.name))
    clock.set("09:30")
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts()) == ("refused", [])
    assert "no longer there" in delivery.problem


def test_a_video_that_could_not_be_fetched_is_made_later(
    mastodon_account: Account,
    coat: Callable[..., File],
    video: Make,
    promised: Promised,
    without_copies: Callable[[], None],
    door: Door,
) -> None:
    promised(coat(video(location="+48.8566+002.3522/"), "wave.mp4"), mastodon_account)
    without_copies()
    rendition = Rendition.objects.get()
    door.shut()
    asyncio.run(making.make(rendition.pk))
    rendition.refresh_from_db()
    assert (rendition.state, rendition.problem) == ("waiting", "")
    door.open()
    asyncio.run(making.make(rendition.pk))
    rendition.refresh_from_db()
    assert rendition.state == "ready"


def test_a_copy_is_called_as_the_file_is(coat: Callable[..., File], picture: Make, bucket: Bucket) -> None:
    file = coat(picture(), "coat.jpg")
    assert bucket.here(str(file.file.name)).name == Path(str(file.file.name)).name
