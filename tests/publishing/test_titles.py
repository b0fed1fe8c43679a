"""A network whose posts have titles: two posts with the same text, or without one, are told apart by them. Reddit."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from regie.accounts.models import Account
from regie.media import services
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio.content import MediaUse, Part
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Due = Callable[[], None]


@pytest.fixture
def account(reddit: Sandbox, connect: Callable[..., Account]) -> Account:
    return connect(reddit)


@pytest.fixture
def show(
    account: Account, write_post: Callable[..., Post], promise: Callable[..., Delivery]
) -> Callable[..., Delivery]:
    """Promises a link without a text to r/regie_hq, for now."""

    def make(title: str, **more: str) -> Delivery:
        chosen = {"community": "r/regie_hq", "title": title, "link": "https://example.org/linen", **more}
        return promise(write_post("", on=[account], options={"reddit": chosen}))

    return make


def titles(reddit: Sandbox) -> list[str]:
    return [post.title for post in reddit.itself.state.posts.values()]


def settle(clock: Clock, publish_due: Due, delivery: Delivery) -> str:
    for _ in range(30):
        publish_due()
        clock.advance(seconds=20)
    delivery.refresh_from_db()
    return delivery.state


def test_a_lost_answer_is_found_again_by_its_title(
    clock: Clock, reddit: Sandbox, show: Callable[..., Delivery], publish_due: Due
) -> None:
    reddit.will_lose_answer(path="/api/submit")
    delivery = show("Linen")
    assert settle(clock, publish_due, delivery) == "published"
    assert titles(reddit) == ["Linen"]
    assert delivery.url.endswith("/linen/")


def test_what_somebody_posts_meanwhile_is_not_taken_for_ours(
    clock: Clock, reddit: Sandbox, show: Callable[..., Delivery], publish_due: Due
) -> None:
    reddit.will_drop(path="/api/submit")
    delivery = show("Linen")
    publish_due()
    net = reddit.itself
    by_hand = net.publish(
        net.person("regie"), net.community("regie_hq"), kind="link", title="Winter coats", url="https://example.org"
    )
    assert settle(clock, publish_due, delivery) == "published"
    assert titles(reddit) == ["Winter coats", "Linen"]
    assert delivery.remote_id != by_hand.id


def test_a_title_that_was_tidied_is_reason_to_ask(
    clock: Clock, reddit: Sandbox, show: Callable[..., Delivery], publish_due: Due
) -> None:
    reddit.will_drop(path="/api/submit")
    delivery = show("Our linen is here")
    publish_due()
    net = reddit.itself
    net.publish(
        net.person("regie"), net.community("regie_hq"), kind="link", title="Our linen is here!", url="https://x.example"
    )
    assert settle(clock, publish_due, delivery) == "unclear"
    assert titles(reddit) == ["Our linen is here!"]


def test_what_the_communitys_filter_holds_back_is_said(
    clock: Clock, reddit: Sandbox, show: Callable[..., Delivery], publish_due: Due
) -> None:
    reddit.itself.community("regie_hq").automod = ["linen"]
    delivery = show("Linen")
    assert settle(clock, publish_due, delivery) == "published"
    assert "AutoModerator" in delivery.limited


def test_a_picture_alone_is_published_once_reddit_has_made_a_post_of_it(
    clock: Clock,
    reddit: Sandbox,
    account: Account,
    alice: Member,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    picture: Callable[..., BytesIO],
    publish_due: Due,
) -> None:
    reddit.itself.media_seconds = 20
    chosen = {"reddit": {"community": "r/regie_hq", "title": "Our shop"}}
    post = write_post("Look", on=[account], options=chosen)
    file = services.upload(workspace=alice.workspace, name="shop.jpg", source=picture(320, 320), by=alice)
    post.content["parts"] = [Part(text="Look", media=[MediaUse(file=file.pk)]).model_dump()]
    post.save()
    delivery = promise(post)
    publish_due()
    delivery.refresh_from_db()
    assert delivery.state == "processing"
    assert settle(clock, publish_due, delivery) == "published"
    assert titles(reddit) == ["Our shop"]
