"""YouTube: uploaded ahead as a private video, shown at the hour by one call, of which the video itself tells."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account, Budget
from regie.accounts.opening import seal_app_keys
from regie.media import services
from regie.networks.data import AppKeys
from regie.people.models import Member
from regie.publishing.errors import NotReady
from regie.publishing.models import Attempt, Delivery
from regie.studio.content import MediaUse, Part
from regie.studio.models import Post
from regie_sandbox.films import looked_at
from regie_sandbox.google.wire import Trouble

from .going import fit, later, state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Due = Callable[[], None]
Show = Callable[..., Delivery]
SAID: dict[str, Any] = {"title": "A walk", "made_for_kids": "no", "privacy": "public"}
WORDS = "Walk with us"


@pytest.fixture
def show(
    alice: Member,
    youtube_account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    picture: Callable[..., BytesIO],
    video: Callable[..., BytesIO],
    sound: Callable[..., BytesIO],
) -> Show:
    """Promises a video: ``show()`` now, ``show("10:30", first_comment="#linen", dressed=True)`` with all that goes."""

    def file_of(name: str, source: BytesIO) -> int:
        return services.upload(workspace=alice.workspace, name=name, source=source, by=alice).pk

    def make(
        wall: str | None = None,
        *,
        dressed: bool = False,
        episode: bool = False,
        size: tuple[int, int] = (320, 180),
        **more: Any,
    ) -> Delivery:
        options = {"youtube": {**SAID, **more.pop("options", {})}}
        post = write_post(WORDS, on=[youtube_account], options=options, **more)
        if episode:
            use = MediaUse(file=file_of("episode.mp3", sound(seconds=3)), as_video=True)
        else:
            use = MediaUse(file=file_of("walk.mp4", video(*size, seconds=4)))
        if dressed or episode:
            use.cover = file_of("cover.jpg", picture(1280, 720))
        if dressed:
            use.captions = file_of("walk.fr.srt", BytesIO(b"1\n00:00:00,000 --> 00:00:02,000\nBonjour\n"))
        post.content["parts"] = [Part(text=WORDS, media=[use]).model_dump()]
        post.save()
        delivery = promise(post, wall) if wall else promise(post)
        fit()
        return delivery

    return make


def keep_keys(youtube: Sandbox, account: Account) -> None:
    """As the operator entered them: without, no token is renewed."""
    ready = youtube.network.ready_account()
    keys = AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"])
    seal_app_keys("youtube", account.server, keys)


def the_film(youtube: Sandbox) -> Any:
    (film,) = youtube.itself.state.videos.values()
    return film


def test_a_video_with_everything_goes_out_and_its_first_comment_under_it(
    clock: Clock, youtube: Sandbox, show: Show, publish_due: Due
) -> None:
    options = {"tags": ["autumn", "long walk"], "made_with_ai": True, "paid_partnership": True, "category": "26"}
    delivery = show(dressed=True, options=options, first_comment="Where shall we go next?")
    later(clock, publish_due, 10)
    assert state_of(delivery) == "published"
    film = the_film(youtube)
    assert (film.id, film.privacy, film.title, film.description) == (delivery.remote_id, "public", "A walk", WORDS)
    assert (film.tags, film.category, film.synthetic, film.paid, film.kids, film.notify) == (
        ["autumn", "long walk"], "26", True, True, False, True,
    )  # fmt: skip
    assert film.cover == "image/jpeg"
    assert [youtube.itself.state.captions[one].language for one in film.captions] == ["fr"]
    assert sum(Budget.objects.get(name="uploads").spent.values()) == 1  # of a hundred a day, for all channels
    (comment,) = youtube.itself.state.comments.values()
    assert (comment.video, comment.text) == (film.id, "Where shall we go next?")
    assert [entry.kind for entry in youtube.accepted()] == ["post", "reply"]


def test_it_is_uploaded_before_the_hour_and_shown_at_the_hour(
    clock: Clock, youtube: Sandbox, youtube_account: Account, show: Show, publish_due: Due
) -> None:
    keep_keys(youtube, youtube_account)  # its first token runs out before
    delivery = show("10:30")
    assert delivery.prepare_at is not None
    clock.set(delivery.prepare_at)
    for _ in range(8):
        publish_due()
        clock.advance(seconds=3)
    assert the_film(youtube).privacy == "private"
    assert (state_of(delivery), youtube.texts()) == ("scheduled", [])
    clock.set("10:30")
    publish_due()
    assert (state_of(delivery), youtube.texts()) == ("published", [WORDS])
    assert the_film(youtube).public_at == clock.at("10:30")


def test_a_short_goes_out(clock: Clock, youtube: Sandbox, show: Show, publish_due: Due) -> None:
    delivery = show(format="short", size=(180, 320))
    later(clock, publish_due, 10)
    assert state_of(delivery) == "published"
    assert delivery.url == f"{youtube.base}/shorts/{the_film(youtube).id}"


def test_an_episode_goes_out_as_a_video_of_its_cover_and_its_sound(
    clock: Clock, youtube: Sandbox, show: Show, publish_due: Due
) -> None:
    delivery = show(episode=True)
    later(clock, publish_due, 10)
    assert state_of(delivery) == "published"
    film = the_film(youtube)
    assert looked_at(youtube.itself.world.files.get(f"youtube-{film.id}") or b"") is not None
    assert film.failure == ""


@pytest.mark.parametrize("how", ["will_lose_answer", "will_drop"])
def test_a_visible_call_whose_answer_was_lost_is_one_video_in_the_end(
    clock: Clock, youtube: Sandbox, show: Show, publish_due: Due, how: str
) -> None:
    getattr(youtube.faults, how)(method="PUT", path="/youtube/v3/videos")  # uploads go below /upload
    youtube.faults.waiting[-1].path = "/youtube/v3/videos"
    delivery = show()
    _upload_first(youtube, clock, publish_due)
    later(clock, publish_due, 12)
    assert state_of(delivery) == "published"
    assert (the_film(youtube).id, youtube.texts()) == (delivery.remote_id, [WORDS])
    assert [entry.kind for entry in youtube.accepted()] == ["post"]
    outcomes = list(Attempt.objects.filter(step__delivery=delivery).values_list("kind", "outcome"))
    assert ("commit", "unclear") in outcomes


def _upload_first(youtube: Sandbox, clock: Clock, publish_due: Due) -> None:
    """The fault that waits is for the visible call: it is kept until there is a whole video."""
    (fault,) = youtube.faults.waiting
    youtube.faults.waiting.clear()
    for _ in range(10):
        publish_due()
        if youtube.itself.state.videos:
            break
        clock.advance(seconds=5)
    youtube.faults.waiting.append(fault)


@pytest.mark.parametrize("how", ["will_lose_answer", "will_drop"])
def test_a_first_comment_whose_answer_was_lost_is_there_once(
    clock: Clock, youtube: Sandbox, show: Show, publish_due: Due, how: str
) -> None:
    getattr(youtube.faults, how)(method="POST", path="/commentThreads")
    delivery = show(first_comment="#linen")
    later(clock, publish_due, 24)
    assert state_of(delivery) == "published"
    assert [one.text for one in youtube.itself.state.comments.values()] == ["#linen"]


def test_an_upload_that_breaks_goes_on_and_is_one_video(
    clock: Clock, youtube: Sandbox, show: Show, publish_due: Due
) -> None:
    youtube.faults.will_lose_answer(method="PUT", path="/upload/", after=1)
    delivery = show()
    later(clock, publish_due, 16)
    assert state_of(delivery) == "published"
    assert the_film(youtube).id == delivery.remote_id
    assert len(youtube.itself.state.sessions) == 1


def test_what_an_unaudited_app_publishes_is_not_called_public(
    clock: Clock, youtube: Sandbox, show: Show, publish_due: Due
) -> None:
    youtube.itself.make_app().verified = False
    delivery = show()
    later(clock, publish_due, 10)
    assert state_of(delivery) == "published"
    assert (delivery.shown, youtube.texts()) == ("limited", [])
    assert "API audit" in delivery.limited


def test_a_token_that_ran_out_is_renewed_and_nothing_is_lost(
    clock: Clock, youtube: Sandbox, youtube_account: Account, show: Show, publish_due: Due
) -> None:
    keep_keys(youtube, youtube_account)
    delivery = show()
    youtube.itself.expire_tokens()
    later(clock, publish_due, 10)
    assert state_of(delivery) == "published"
    assert youtube.texts() == [WORDS]

    Delivery.objects.update(visible_at=None, looks=0, look_at=clock.moment)
    youtube.itself.expire_tokens()
    publish_due()
    clock.advance(seconds=10)
    publish_due()
    delivery.refresh_from_db()
    assert delivery.visible_at == clock.moment


def test_what_youtube_will_not_have_is_said_before_and_refused_with_its_reason(
    clock: Clock, youtube: Sandbox, show: Show, publish_due: Due
) -> None:
    with pytest.raises(NotReady, match="takes no “<”"):
        show(options={"title": "a < b"})
    delivery = show()
    why = Trouble(400, "invalidCategoryId", "The snippet.categoryId property specifies an invalid category ID.")
    youtube.will_answer(400, method="POST", path="/upload/", body=why.body)
    later(clock, publish_due, 4)
    assert state_of(delivery) == "refused"
    assert delivery.problem_facts["reason"] == str(why)
    assert youtube.itself.state.videos == {}
