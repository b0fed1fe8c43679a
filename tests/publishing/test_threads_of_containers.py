"""A network where each part of a thread, and a first comment, is worked on and published by itself: Threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from regie.accounts.models import Account
from regie.publishing.models import Delivery
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = ("one of three", "two of three", "three of three")


@pytest.mark.parametrize(
    ("bad_day", "more"),
    [
        ("will_drop", {}),
        ("will_lose_answer", {}),
        ("will_lose_answer", {"after": 1}),
        ("will_lose_answer", {"after": 3}),
    ],
)
def test_a_part_whose_answer_was_lost_is_out_once_and_in_its_place(
    clock: Clock,
    threads: Sandbox,
    connect: Callable[..., Account],
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    bad_day: str,
    more: dict[str, int],
) -> None:
    getattr(threads, bad_day)(path="/threads_publish", **more)
    chosen = {"threads": {"topic": "linen"}}
    delivery = promise(write_post(*PARTS, on=[connect(threads)], options=chosen, first_comment="More on our page"))
    for _ in range(24):
        publish_due()
        clock.advance(seconds=20)
    delivery.refresh_from_db()
    assert delivery.state == "published"
    assert threads.texts() == [*PARTS, "More on our page"]
    media = threads.itself.state.media
    ids = list(media)
    assert [media[one].parent for one in ids] == ["", ids[0], ids[1], ids[0]]
    assert [media[one].topic for one in ids] == ["linen", "", "", ""]
