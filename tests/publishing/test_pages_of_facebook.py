"""A network whose posts are looked for after a lost answer, also its videos, Reels and stories: Facebook."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account
from regie.media import making, services
from regie.media.models import Rendition
from regie.people.models import Member
from regie.publishing.models import Attempt, Delivery, Step
from regie.studio.content import MediaUse, Part
from regie.studio.models import Post

from .going import later, state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Due = Callable[[], None]
Show = Callable[..., Delivery]
KINDS = {
    "text": ((), "post"),
    "photos": (("a.jpg", "b.jpg"), "post"),
    "video": (("c.mp4",), "post"),
    "reel": (("d.mp4",), "short"),
    "story": (("a.jpg",), "story"),
}

VISIBLE = {  # the address of the visible call, and how many calls to it come before: to begin, and one small piece
    "text": ("/feed", 0),
    "photos": ("/feed", 0),
    "video": ("/videos", 2),
    "reel": ("/video_reels", 1),
    "story": ("/photo_stories", 0),
}


@pytest.fixture
def show(
    alice: Member,
    facebook_account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    picture: Callable[..., BytesIO],
    video: Callable[..., BytesIO],
) -> Show:
    """Promises a post of one of KINDS to the Page, for now; its videos are made to fit."""

    def make(kind: str, text: str = "Good morning") -> Delivery:
        names, form = KINDS[kind]
        post = write_post("" if form == "story" else text, on=[facebook_account], format=form)
        uses = []
        for name in names:
            tall = {"width": 72, "height": 128} if form != "post" else {}
            source = video(seconds=4, title=name, **tall) if name.endswith("mp4") else picture(320 + ord(name[0]), 320)
            file = services.upload(workspace=alice.workspace, name=name, source=source, by=alice)
            uses.append(MediaUse(file=file.pk))
        post.content["parts"] = [Part(text=post.content["parts"][0]["text"], media=uses).model_dump()]
        post.save()
        delivery = promise(post)
        for rendition in Rendition.objects.exclude(state=Rendition.State.READY):
            asyncio.run(making.make(rendition.pk))
        return delivery

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_goes_out_once_with_a_receipt(
    clock: Clock, facebook: Sandbox, show: Show, publish_due: Due, kind: str
) -> None:
    delivery = show(kind)
    later(clock, publish_due, 6)
    assert state_of(delivery) == "published"
    (entry,) = facebook.accepted()
    assert (entry.remote_id, entry.media) == (delivery.remote_id, len(KINDS[kind][0]))


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_lost_after_it_was_taken_is_one_post(
    clock: Clock, facebook: Sandbox, show: Show, publish_due: Due, kind: str
) -> None:
    path, before = VISIBLE[kind]
    facebook.will_lose_answer(path=path, after=before)
    delivery = show(kind)
    later(clock, publish_due)
    assert state_of(delivery) == "published"
    (entry,) = facebook.accepted()
    assert entry.remote_id == delivery.remote_id
    outcomes = list(Attempt.objects.filter(step__delivery=delivery).values_list("kind", "outcome"))
    assert ("commit", "unclear") in outcomes
    assert [one for one, _ in outcomes].count("commit") == 1


def test_what_was_not_taken_is_sent_once_it_is_known_to_be_absent(
    clock: Clock, facebook: Sandbox, show: Show, publish_due: Due
) -> None:
    facebook.faults.will_drop(path="/feed")
    delivery = show("text")
    publish_due()
    assert state_of(delivery) == "unclear"
    later(clock, publish_due, 20)
    assert state_of(delivery) == "published"
    assert facebook.texts() == ["Good morning"]


def test_photos_are_ready_before_their_hour(clock: Clock, facebook: Sandbox, show: Show, publish_due: Due) -> None:
    delivery = show("photos")
    Delivery.objects.filter(pk=delivery.pk).update(
        next_at=clock.at("09:30"), due_at=clock.at("09:30"), prepare_at=clock.moment
    )
    publish_due()
    step: Any = Step.objects.get(delivery=delivery)
    assert (step.prepared_at is not None, len(facebook.itself.state.photos), facebook.texts()) == (True, 2, [])
