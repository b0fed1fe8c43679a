"""First comments where a comment is an answer like any other: Mastodon, with and without its keys, and Bluesky."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from regie.accounts.models import Account
from regie.publishing.models import Delivery
from regie.studio.models import Post

from .going import state_of, until_published

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Due = Callable[[], None]
Write = Callable[..., Post]
Promise = Callable[..., Delivery]
WRITES = {"mastodon": "/api/v1/statuses", "bluesky": "putRecord"}


@pytest.fixture(params=["mastodon", "mastodon that forgets keys", "bluesky"])
def network(request: pytest.FixtureRequest) -> Sandbox:
    slug = request.param.split()[0]
    sandbox: Sandbox = request.getfixturevalue(slug)
    if slug != request.param:
        sandbox.network.keys_honoured = False
    return sandbox


@pytest.fixture
def account(network: Sandbox, connect: Callable[..., Account]) -> Account:
    made = connect(network)
    if not network.network.keys_honoured:
        made.limits = {**made.limits, "honours_key": False}
        made.save()
    return made


def lose(network: Sandbox, *, taken: bool, after: int = 0) -> None:
    """A write fails after it was taken, or before; ``after``: that many go well first."""
    path = WRITES[network.network.slug]
    if taken:
        network.faults.will_lose_answer(path=path, method="POST", after=after)
    else:
        network.faults.will_answer(503, path=path, method="POST", after=after)


def under(network: Sandbox) -> Iterator[tuple[str, str]]:
    """(what it answers, its words) of each post, oldest first."""
    for text, uri in zip(network.texts(), network.network.posts(), strict=True):
        if network.network.slug == "mastodon":
            yield network.itself.status(uri).in_reply_to_id or "", text
        else:
            yield network.itself.state.records[uri].value.get("reply", {}).get("parent", {}).get("uri", ""), text


def test_it_goes_under_the_post_and_not_under_the_last_part_of_its_thread(
    clock: Clock, network: Sandbox, account: Account, write_post: Write, promise: Promise, publish_due: Due
) -> None:
    delivery = promise(write_post("One", "Two", on=[account], first_comment="#linen"))
    until_published(delivery, clock, publish_due)
    first = delivery.remote_id
    assert list(under(network)) == [("", "One"), (first, "Two"), (first, "#linen")]


@pytest.mark.parametrize("taken", [True, False])
def test_when_its_answer_is_lost_it_is_there_once_in_the_end(
    clock: Clock, network: Sandbox, account: Account, write_post: Write, promise: Promise, publish_due: Due, taken: bool
) -> None:
    lose(network, taken=taken, after=1)
    delivery = promise(write_post("One", on=[account], first_comment="#linen"))
    publish_due()
    assert state_of(delivery) == "unclear"
    until_published(delivery, clock, publish_due)
    assert list(under(network)) == [("", "One"), (delivery.remote_id, "#linen")]
    assert [entry.text for entry in network.accepted()] == ["One", "#linen"]


def test_when_its_second_answer_is_lost_too_and_listings_lag_it_is_still_there_once(
    clock: Clock, network: Sandbox, account: Account, write_post: Write, promise: Promise, publish_due: Due
) -> None:
    lose(network, taken=False, after=1)
    delivery = promise(write_post("One", on=[account], first_comment="#linen"))
    publish_due()
    lose(network, taken=True)
    network.faults.listing_lag = 25
    until_published(delivery, clock, publish_due)
    assert list(under(network)) == [("", "One"), (delivery.remote_id, "#linen")]
