"""A network that works on a post before it can be published, and says afterwards what became of it: Instagram."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account
from regie.media import making, services
from regie.media.models import File, Rendition
from regie.people.models import Member, Notice
from regie.publishing.engine import outgoing
from regie.publishing.engine.publisher import Publisher
from regie.publishing.engine.work import DEADLINE
from regie.publishing.models import Attempt, Delivery, Step
from regie.publishing.services import freeze
from regie.studio.content import MediaUse, Part
from regie.studio.models import Post

from .going import state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Due = Callable[[], None]
Show = Callable[..., Delivery]


@pytest.fixture(autouse=True)
def _public(settings: Any, live_server: Any) -> None:
    """Our files can be fetched from outside."""
    settings.PUBLIC_URL = live_server.url


@pytest.fixture
def files(alice: Member, picture: Callable[..., BytesIO], video: Callable[..., BytesIO]) -> Callable[[str], File]:
    """A file of the workspace by a word: "a.jpg", "b.mp4"; no two with the same bytes."""

    def make(name: str) -> File:
        source = video(seconds=4, title=name) if name.endswith("mp4") else picture(320 + ord(name[0]), 320)
        return services.upload(workspace=alice.workspace, name=name, source=source, by=alice)

    return make


@pytest.fixture
def show(
    instagram_account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    files: Callable[[str], File],
) -> Show:
    """Promises a post with these files to Instagram, for now."""

    def make(*names: str, text: str = "Good morning", wall: str | None = None) -> Delivery:
        post = write_post(text, on=[instagram_account])
        post.content["parts"] = [Part(text=text, media=[MediaUse(file=files(name).pk) for name in names]).model_dump()]
        post.save()
        return promise(post, wall)

    return make


def made() -> None:
    """The worker's part: videos are made to fit."""
    for rendition in Rendition.objects.exclude(state=Rendition.State.READY):
        asyncio.run(making.make(rendition.pk))


def media_of(instagram: Sandbox, delivery: Delivery) -> Any:
    return instagram.itself.state.media[delivery.remote_id]


def test_a_picture_goes_out_once_with_its_address(
    clock: Clock, instagram: Sandbox, show: Show, publish_due: Due
) -> None:
    delivery = show("a.jpg")
    publish_due()
    publish_due()
    assert state_of(delivery) == "published"
    assert [entry.remote_id for entry in instagram.accepted()] == [delivery.remote_id]
    assert delivery.url.startswith(f"{instagram.base}/p/")
    clock.advance(seconds=3)
    publish_due()
    delivery.refresh_from_db()
    assert delivery.visible_at == clock.moment


def test_a_carousel_keeps_its_order(clock: Clock, instagram: Sandbox, show: Show, publish_due: Due) -> None:
    delivery = show("a.jpg", "b.mp4", "c.jpg")
    publish_due()
    made()
    clock.advance(minutes=1)
    publish_due()
    assert state_of(delivery) == "published"
    children = [instagram.itself.state.media[one] for one in media_of(instagram, delivery).children]
    assert [child.type for child in children] == ["IMAGE", "VIDEO", "IMAGE"]


def test_a_reel_is_ready_before_its_hour_and_out_at_it(
    clock: Clock, instagram: Sandbox, show: Show, publish_due: Due
) -> None:
    instagram.itself.processing_seconds = 30
    delivery = show("b.mp4", wall="09:30")
    Delivery.objects.filter(pk=delivery.pk).update(prepare_at=clock.at("09:20"))
    clock.set("09:20")
    publish_due()
    made()
    for _ in range(12):
        clock.advance(seconds=15)
        publish_due()
    step = Step.objects.get(delivery=delivery)
    assert (state_of(delivery), step.prepared_at is not None) == ("scheduled", True)
    assert instagram.texts() == []
    clock.set("09:30")
    publish_due()
    assert state_of(delivery) == "published"
    assert (media_of(instagram, delivery).product, delivery.accepted_at) == ("REELS", clock.moment)
    assert len(instagram.itself.state.containers) == 1


def test_one_that_is_not_ready_at_its_hour_goes_out_when_it_is(
    clock: Clock, instagram: Sandbox, show: Show, publish_due: Due
) -> None:
    instagram.itself.processing_seconds = 40
    delivery = show("b.mp4")
    publish_due()
    made()
    for _ in range(3):
        clock.advance(seconds=10)
        publish_due()
        assert state_of(delivery) == "scheduled"
    clock.advance(minutes=1)
    publish_due()
    assert state_of(delivery) == "published"
    assert len(instagram.itself.state.containers) == 1


def test_a_freeze_stops_what_is_only_ready(
    clock: Clock, instagram: Sandbox, show: Show, publish_due: Due, alice: Member
) -> None:
    instagram.itself.processing_seconds = 40
    delivery = show("b.mp4")
    publish_due()
    made()
    clock.advance(seconds=10)
    publish_due()
    freeze(alice.workspace, why="A crisis", by=alice)
    clock.advance(minutes=1)
    publish_due()
    assert (state_of(delivery), instagram.texts()) == ("held", [])


@pytest.mark.parametrize(
    "files_of_it", [("a.jpg",), ("a.jpg", "c.jpg"), ("b.mp4",)], ids=["picture", "carousel", "reel"]
)
def test_an_answer_lost_after_it_was_taken_is_one_post(
    clock: Clock, instagram: Sandbox, show: Show, publish_due: Due, files_of_it: tuple[str, ...]
) -> None:
    instagram.will_lose_answer(path="media_publish")
    delivery = show(*files_of_it)
    publish_due()
    made()
    for _ in range(10):
        clock.advance(seconds=20)
        publish_due()
    assert state_of(delivery) == "published"
    (entry,) = instagram.accepted("post")
    assert entry.remote_id == delivery.remote_id
    outcomes = list(Attempt.objects.filter(step__delivery=delivery).values_list("kind", "outcome"))
    assert ("commit", "unclear") in outcomes
    assert ("look", "found") in outcomes
    assert [kind for kind, _ in outcomes].count("commit") == 1


def test_an_answer_lost_before_it_was_taken_is_sent_once_its_call_must_be_over(
    clock: Clock, instagram: Sandbox, show: Show, publish_due: Due
) -> None:
    instagram.faults.will_drop(path="media_publish")
    delivery = show("a.jpg")
    publish_due()
    assert state_of(delivery) == "unclear"
    clock.advance(seconds=20)
    publish_due()
    assert (state_of(delivery), instagram.texts()) == ("unclear", [])
    clock.advance(seconds=DEADLINE.total_seconds() - 15)
    publish_due()
    assert state_of(delivery) == "published"
    assert instagram.texts() == ["Good morning"]


def test_two_posts_with_the_same_words_are_told_apart(
    clock: Clock, instagram: Sandbox, show: Show, publish_due: Due
) -> None:
    first = show("a.jpg")
    publish_due()
    clock.advance(hours=1)
    instagram.will_lose_answer(path="media_publish")
    second = show("c.jpg")
    publish_due()
    clock.advance(seconds=20)
    publish_due()
    assert (state_of(first), state_of(second)) == ("published", "published")
    assert [first.remote_id, second.remote_id] == instagram.itself.posts()


@pytest.mark.parametrize("who_was_late", ["nobody", "the look"])
def test_twins_in_doubt_together_each_take_their_own_post(
    clock: Clock,
    instagram: Sandbox,
    show: Show,
    publish_due: Due,
    who_was_late: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if who_was_late == "the look":  # a twin took its post after this one had asked which are taken
        looks, as_it_is = iter([frozenset[str](), frozenset[str]()]), outgoing._theirs
        monkeypatch.setattr(outgoing, "_theirs", lambda *given: next(looks, None) or as_it_is(*given))
    twins = [show("a.jpg"), show("c.jpg")]
    for _ in twins:
        instagram.will_lose_answer(path="media_publish")
    for _ in range(6):
        publish_due()
        clock.advance(seconds=20)
    assert [state_of(twin) for twin in twins] == ["published", "published"]
    assert sorted(twin.remote_id for twin in twins) == sorted(instagram.itself.posts())
    assert not Notice.objects.exists()


def test_what_the_network_itself_answers_for_another_asks_a_person(
    clock: Clock, instagram: Sandbox, show: Show, publish_due: Due
) -> None:
    first = show("a.jpg")
    publish_due()
    second = show("c.jpg", text="Good evening")
    first.refresh_from_db()
    instagram.will_answer(200, path="media_publish", body={"id": first.remote_id})
    publish_due()
    assert state_of(second) == "unclear"
    assert (second.look_at, second.to_tell or Notice.objects.exists()) == (None, True)


def test_a_publisher_that_dies_in_the_call_leaves_one_post(
    clock: Clock, instagram: Sandbox, show: Show, publish_due: Due
) -> None:
    """As a kill leaves it: the call went out, nobody wrote down what came of it."""
    delivery = show("a.jpg")
    instagram.will_delay(30, path="media_publish")

    async def die() -> None:
        async with Publisher(name="doomed", in_flight=5, connections=2).open() as publisher:
            await publisher.take_lanes()
            while not instagram.accepted():  # noqa: ASYNC110 - another thread tells nobody
                await asyncio.sleep(0.02)
            for task in list(publisher.lanes):
                task.cancel()
            await asyncio.gather(*publisher.lanes, return_exceptions=True)

    asyncio.run(die())
    assert state_of(delivery) == "sending"
    clock.advance(minutes=3)  # the lease is over, and the attempt's deadline
    publish_due()
    clock.advance(minutes=1)
    publish_due()
    assert state_of(delivery) == "published"
    assert [entry.remote_id for entry in instagram.accepted("post")] == [delivery.remote_id]


def test_a_listing_that_lags_behind_is_waited_for(
    clock: Clock, instagram: Sandbox, show: Show, publish_due: Due
) -> None:
    instagram.faults.listing_lag = 45
    instagram.will_lose_answer(path="media_publish")
    delivery = show("a.jpg")
    states = set()
    for _ in range(12):
        publish_due()
        states.add(state_of(delivery))
        clock.advance(seconds=10)
    assert states >= {"unclear", "processing", "published"}
    assert [entry.remote_id for entry in instagram.accepted("post")] == [delivery.remote_id]


def test_what_instagram_cannot_use_is_refused_with_its_reason(
    clock: Clock, instagram: Sandbox, show: Show, publish_due: Due, settings: Any
) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:9"  # nobody is there
    delivery = show("a.jpg")
    publish_due()
    assert state_of(delivery) == "refused"
    assert "could not be fetched" in str(delivery.problem_facts)
    assert instagram.accepted() == []


def test_a_dead_token_waits_for_a_person_and_the_containers_stay_good(
    clock: Clock, instagram: Sandbox, show: Show, publish_due: Due, instagram_account: Account
) -> None:
    delivery = show("a.jpg")
    body = {"error": {"message": "Expired.", "type": "OAuthException", "code": 190, "fbtrace_id": "A"}}
    instagram.will_answer(400, path="media_publish", body=body)
    publish_due()
    assert state_of(delivery) == "held"
    instagram_account.refresh_from_db()
    assert instagram_account.state == Account.State.BROKEN
    Account.objects.filter(pk=instagram_account.pk).update(state=Account.State.CONNECTED)
    clock.advance(seconds=5)
    publish_due()
    assert state_of(delivery) == "published"
    assert len(instagram.itself.state.containers) == 1
