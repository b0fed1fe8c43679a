"""A network that knows no key of ours and refuses the same text twice: X. Looked for after a lost answer."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from regie.accounts.models import Account
from regie.media import services
from regie.people.models import Member
from regie.publishing.models import Attempt, Delivery
from regie.studio.content import MediaUse, Part
from regie.studio.models import Post

from .going import fit, later, state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Due = Callable[[], None]
Show = Callable[..., Delivery]
KINDS: dict[str, tuple[tuple[str, ...], ...]] = {  # the files of each part
    "text": ((),),
    "thread": ((), ()),
    "pictures": (("a.jpg", "b.jpg"),),
    "video": (("c.mp4",),),
    "comment": ((), ()),  # the second is the first comment under the first
}


CASES = [("text", 0), ("thread", 0), ("thread", 1), ("pictures", 0), ("video", 0), ("comment", 1)]


@pytest.fixture
def account(x: Sandbox, connect: Callable[..., Account]) -> Account:
    return connect(x)


@pytest.fixture
def show(
    alice: Member,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    picture: Callable[..., BytesIO],
    video: Callable[..., BytesIO],
) -> Show:
    """Promises a post of one of KINDS for now; its videos are made to fit."""

    def make(kind: str) -> Delivery:
        texts = [f"{kind}, part {nth} & <more> https://a.example/{nth}" for nth, _ in enumerate(KINDS[kind])]
        post = write_post(*texts, on=[account])
        parts = []
        for text, names in zip(texts, KINDS[kind], strict=True):
            uses = []
            for name in names:
                source = video(seconds=4, title=name) if name.endswith("mp4") else picture(320 + ord(name[0]), 320)
                file = services.upload(workspace=alice.workspace, name=name, source=source, by=alice)
                uses.append(MediaUse(file=file.pk))
            parts.append(Part(text=text, media=uses).model_dump())
        if kind == "comment":
            post.content["first_comment"] = parts.pop()["text"]
        post.content["parts"] = parts
        post.save()
        delivery = promise(post)
        fit()
        return delivery

    return make


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_goes_out_once_with_a_receipt(
    clock: Clock, x: Sandbox, show: Show, publish_due: Due, kind: str
) -> None:
    delivery = show(kind)
    later(clock, publish_due, 6)
    assert state_of(delivery) == "published"
    entries = x.accepted()
    assert [entry.media for entry in entries] == [len(names) for names in KINDS[kind]]
    assert entries[0].remote_id == delivery.remote_id
    parents = [x.itself.post(entry.remote_id).reply_to for entry in entries]
    assert parents == ["", *[entry.remote_id for entry in entries[:-1]]]


@pytest.mark.parametrize(("kind", "after"), CASES)
def test_an_answer_lost_after_it_was_taken_is_one_post(
    clock: Clock, x: Sandbox, show: Show, publish_due: Due, kind: str, after: int
) -> None:
    x.itself.faults.will_lose_answer(method="POST", path="/2/tweets", after=after)
    delivery = show(kind)
    later(clock, publish_due, 14)
    assert state_of(delivery) == "published"
    assert len(x.accepted()) == len(KINDS[kind])
    outcomes = list(Attempt.objects.filter(step__delivery=delivery).values_list("kind", "outcome"))
    assert ("commit", "unclear") in outcomes
    assert [one for one, _ in outcomes].count("commit") == len(KINDS[kind])


def test_what_was_not_taken_is_sent_once_it_is_known_to_be_absent(
    clock: Clock, x: Sandbox, show: Show, publish_due: Due
) -> None:
    x.itself.faults.will_drop(method="POST", path="/2/tweets")
    delivery = show("text")
    publish_due()
    assert state_of(delivery) == "unclear"
    later(clock, publish_due, 20)
    assert state_of(delivery) == "published"
    assert len(x.accepted()) == 1


def test_a_text_that_x_has_already_is_refused_with_what_to_do(
    clock: Clock, x: Sandbox, show: Show, publish_due: Due
) -> None:
    first = show("text")
    later(clock, publish_due, 3)
    assert state_of(first) == "published"
    second = show("text")
    later(clock, publish_due, 3)
    assert state_of(second) == "refused"
    assert "change it" in second.problem.format(**second.problem_facts)
    assert len(x.accepted()) == 1
