"""Pictures and videos: uploaded ahead of the hour, made to fit before that, and out at the hour, once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from regie.accounts.models import Account
from regie.core import clock as product_clock
from regie.core.times import WallTime
from regie.media import making
from regie.media import services as media
from regie.media.models import File, Rendition
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.engine import prepare
from regie.publishing.engine.publisher import Publisher
from regie.publishing.models import Attempt, Delivery
from regie.studio.content import Content, MediaUse, Part
from regie.studio.models import Post, Variant

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

Promise = Callable[..., Delivery]
Due = Callable[[], None]


@pytest.fixture
def write(bob: Member) -> Callable[..., Post]:
    """A post with a file: ``write(file, account)``."""

    def write(file: File, account: Account, text: str = "Look", **options: object) -> Post:
        content = Content.model_validate({"parts": [Part(text=text, media=[MediaUse(file=file.pk)])], **options})
        post = Post.objects.create(workspace=bob.workspace, content=content.as_json(), author=bob.user)
        Variant.objects.create(post=post, account=account)
        return post

    return write


@pytest.fixture
def keep(alice: Member) -> Callable[[BytesIO, str], File]:
    def keep(source: BytesIO, name: str) -> File:
        return media.upload(workspace=alice.workspace, name=name, source=source, by=alice)

    return keep


def uploads(mastodon: Sandbox) -> list[str]:
    return [one.content_type for one in mastodon.itself.state.media.values()]


def make_all() -> None:
    """As a worker would."""
    for rendition in Rendition.objects.filter(state="waiting"):
        asyncio.run(making.make(rendition.pk))


def test_a_picture_is_uploaded_ahead_of_the_hour_and_goes_out_at_the_hour(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    write: Callable[..., Post],
    keep: Callable[..., File],
    picture: Callable[..., BytesIO],
    promise: Promise,
    publish_due: Due,
) -> None:
    delivery = promise(write(keep(picture(), "coat.jpg"), mastodon_account), "09:30")
    assert delivery.prepare_at is not None
    assert clock.at("09:29") < delivery.prepare_at < clock.at("09:30")

    publish_due()
    assert uploads(mastodon) == []

    clock.set(delivery.prepare_at)
    publish_due()
    assert (uploads(mastodon), mastodon.texts()) == (["image/jpeg"], [])

    clock.set("09:30")
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts(), uploads(mastodon)) == ("published", ["Look"], ["image/jpeg"])
    assert [entry.media for entry in mastodon.network.world.ledger.of("mastodon")] == [1]


def test_a_video_is_uploaded_ahead_and_waits_for_the_server_before_the_hour(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    write: Callable[..., Post],
    keep: Callable[..., File],
    video: Callable[..., BytesIO],
    promise: Promise,
    publish_due: Due,
) -> None:
    mastodon.itself.media_seconds = 40
    delivery = promise(write(keep(video(), "wave.mp4"), mastodon_account), "09:30")
    assert delivery.prepare_at is not None
    assert delivery.prepare_at < clock.at("09:28"), "a video takes longer than a picture"

    clock.set(delivery.prepare_at)
    publish_due()
    delivery.refresh_from_db()
    assert (uploads(mastodon), delivery.state, mastodon.texts()) == (["video/mp4"], "scheduled", [])
    assert list(Attempt.objects.values_list("kind", "outcome")) == [("prepare", "processing")]

    clock.advance(seconds=45)
    publish_due()
    assert delivery.steps.get().prepared_at is not None
    mastodon_account.refresh_from_db()
    assert mastodon_account.video_seconds == pytest.approx(60 * 0.7 + 45 * 0.3)
    assert mastodon_account.prepare_seconds == 5

    clock.set("09:30")
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts(), uploads(mastodon)) == ("published", ["Look"], ["video/mp4"])


def test_a_video_that_must_be_made_to_fit_is_begun_when_it_is_promised(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    write: Callable[..., Post],
    keep: Callable[..., File],
    video: Callable[..., BytesIO],
    promise: Promise,
    publish_due: Due,
) -> None:
    file = keep(video(location="+48.8566+002.3522/"), "wave.mp4")
    delivery = promise(write(file, mastodon_account), "09:30")
    rendition = Rendition.objects.get()
    assert (rendition.state, rendition.plan["do"]) == ("waiting", "copy")

    clock.set(delivery.prepare_at)  # type: ignore[arg-type]
    publish_due()
    delivery.refresh_from_db()
    assert uploads(mastodon) == []
    assert "is being made to fit" in delivery.problem
    assert delivery.problem_facts == {"file": "wave.mp4", "percent": 0}

    make_all()
    clock.advance(seconds=10)
    publish_due()
    assert (uploads(mastodon), mastodon.texts()) == (["video/mp4"], [])
    clock.set("09:30")
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts()) == ("published", ["Look"])
    sent = mastodon.network.world.files.get(f"mastodon-{next(iter(mastodon.itself.state.media))}")
    assert sent is not None
    assert b"48.8566" not in sent


def test_published_now_it_goes_out_as_soon_as_it_is_made(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    write: Callable[..., Post],
    keep: Callable[..., File],
    video: Callable[..., BytesIO],
    bob: Member,
    publish_due: Due,
) -> None:
    post = write(keep(video(title="Wave"), "wave.mp4"), mastodon_account)
    delivery = services.publish_now(post=post, by=bob)[0]
    publish_due()
    assert mastodon.texts() == []
    make_all()
    clock.advance(seconds=10)
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts()) == ("published", ["Look"])


def test_a_video_that_cannot_be_made_is_refused_with_the_reason(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    write: Callable[..., Post],
    keep: Callable[..., File],
    video: Callable[..., BytesIO],
    bob: Member,
    publish_due: Due,
) -> None:
    post = write(keep(video(title="Wave"), "wave.mp4"), mastodon_account)
    at = WallTime.at(product_clock.now(), "Europe/Paris")
    delivery = services.schedule(post=post, at=at, by=bob)[0]
    Rendition.objects.update(state="failed", problem=making.NO_ROOM)
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, mastodon.texts()) == ("refused", [])
    assert "no room left" in delivery.problem


def test_a_server_that_cannot_read_the_video_is_heard(
    mastodon: Sandbox,
    mastodon_account: Account,
    write: Callable[..., Post],
    keep: Callable[..., File],
    video: Callable[..., BytesIO],
    promise: Promise,
    publish_due: Due,
    clock: Clock,
) -> None:
    mastodon.will_answer(422, method="GET", path="/api/v1/media")
    delivery = promise(write(keep(video(), "wave.mp4"), mastodon_account))
    publish_due()
    delivery.refresh_from_db()
    assert (delivery.state, "export it as MP4" in delivery.problem) == ("refused", True)


def test_a_publisher_given_to_videos_uploads_them_and_leaves_the_rest_to_others(
    transactional_db: None,
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    write: Callable[..., Post],
    keep: Callable[..., File],
    picture: Callable[..., BytesIO],
    video: Callable[..., BytesIO],
    promise: Promise,
) -> None:
    def work(only: str) -> None:
        async def once() -> None:
            async with Publisher(name=only, in_flight=5, connections=2, only=only).open() as publisher:
                await publisher.drain()

        asyncio.run(once())

    film = write(keep(video(), "film.mp4"), mastodon_account)
    still = write(keep(picture(), "coat.jpg"), mastodon_account, "And this")
    make_all()
    promise(film, "09:30")
    promise(still, "09:30")
    clock.set(clock.at("09:30") - timedelta(seconds=20))
    work(prepare.REST)
    assert uploads(mastodon) == ["image/jpeg"]
    work(prepare.VIDEO)
    assert uploads(mastodon) == ["image/jpeg", "video/mp4"]

    clock.set("09:30")
    work(prepare.VIDEO)
    assert mastodon.texts() == []
    work(prepare.REST)
    assert sorted(mastodon.texts()) == ["And this", "Look"]
