"""The network stops at the worst moments: one post in the end by a client that is not ours, and the truth in between.

On three servers that others wrote, one for each way of making sure: Bluesky's PDS (the same record key may be written
again for ever), snac (knows no key: the account's posts are looked through), mastodon-mock (an Idempotency-Key, kept
for an hour). The moments:

refused   before the call: nothing listens there
lost      during: the request is read, and the server never sees it
midway    after acceptance: the answer breaks off in its middle
answer    after acceptance: not a byte of the answer comes

What would take minutes is waited for by putting the product's clock forward; the servers keep their own.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable
from datetime import timedelta

import pytest

from regie.accounts.models import Account
from regie.core import clock
from regie.core.times import WallTime
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.models import Delivery
from regie.studio.models import Post

from .product import MovableClock, Place, Roles, watching
from .servers import eventually

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("real"), pytest.mark.django_db(transaction=True)]

Promise = Callable[..., Delivery]


@pytest.fixture
def promise(bob: Member, write_post: Callable[..., Post]) -> Promise:
    """A post by Bob, like no other, due at this moment or some seconds ``after``: ``promise(account)``."""

    def make(account: Account, after: float = 0) -> Delivery:
        post = write_post(" ".join(secrets.token_hex(2) for _ in range(6)), on=[account])
        due = WallTime.at(clock.now() + timedelta(seconds=after), "Europe/Paris")
        return services.schedule(post=post, at=due, by=bob)[0]

    return make


def text_of(delivery: Delivery) -> str:
    return delivery.variant.post.document.text


def fail(place: Place, moment: str) -> None:
    match moment:
        case "refused":
            place.proxy.refuse()
        case "lost":
            place.proxy.cut_before(None, place.write)
        case "midway":
            place.proxy.cut_midway(None, place.write)
        case "answer":
            place.proxy.cut_answer(None, place.write)


def state_of(delivery: Delivery) -> str:
    delivery.refresh_from_db()
    return delivery.state


def assert_out_once(place: Place, delivery: Delivery) -> None:
    """Published, once, and our link leads to what the independent client sees."""
    delivery.refresh_from_db()
    assert delivery.state == "published"
    there = [(text, link) for text, link in place.there() if text == text_of(delivery)]
    assert len(there) == 1
    assert place.leads(delivery.url, there[0][1]), (delivery.url, there[0][1])


def until_settled(delivery: Delivery, publish_due: Callable[[], None], movable_clock: MovableClock) -> list[str]:
    """Puts the clock forward in steps, and lets a publisher work, until it is published. Returns the states met."""
    met = []
    for _ in range(9):  # snac: 90 s in which a call may be under way, 60 s until a post surely shows
        movable_clock.advance(seconds=25)
        publish_due()
        met.append(state_of(delivery))
        if met[-1] == "published":
            break
    return met


@pytest.mark.parametrize("moment", ["refused", "lost", "midway", "answer"])
def test_stopped_at_the_worst_moment_it_is_one_post_in_the_end(
    place: Place,
    moment: str,
    promise: Promise,
    publish_due: Callable[[], None],
    movable_clock: MovableClock,
) -> None:
    delivery = promise(place.account)
    fail(place, moment)
    with watching(delivery) as seen:
        publish_due()
    told = state_of(delivery)
    place.proxy.accept()
    is_out = place.texts().count(text_of(delivery))
    assert is_out == (1 if moment in ("midway", "answer") else 0)
    assert told == ("scheduled" if moment == "refused" else "unclear")
    assert delivery.problem
    assert (delivery.remote_id, delivery.url, delivery.accepted_at) == ("", "", None)
    assert "published" not in [state for _, state in seen]

    met = until_settled(delivery, publish_due, movable_clock)
    assert met[-1] == "published", (met, delivery.problem)
    assert_out_once(place, delivery)
    assert delivery.problem == ""
    publish_due()
    assert_out_once(place, delivery)


def test_an_outage_of_many_minutes_is_waited_out(
    place: Place, promise: Promise, publish_due: Callable[[], None], movable_clock: MovableClock
) -> None:
    delivery = promise(place.account)
    with place.proxy.refusing():
        for _ in range(5):
            publish_due()
            assert state_of(delivery) == "scheduled"
            assert delivery.next_at > clock.now()
            movable_clock.advance(minutes=2)
    assert place.texts().count(text_of(delivery)) == 0
    publish_due()
    assert_out_once(place, delivery)


# Publishers that are killed, and publishers that are told to stop


def the_call_is_held(place: Place) -> None:
    """Until the server has taken the post and the proxy sits on its answer."""
    eventually(lambda: (200, "hold_answer") in place.calls(), seconds=20)


def test_a_publisher_killed_while_the_network_answers_is_followed_by_another(
    place: Place,
    promise: Promise,
    roles: Roles,
    publish_due: Callable[[], None],
    movable_clock: MovableClock,
) -> None:
    doomed = roles.publisher()
    place.proxy.hold_answer(120, None, place.write)
    delivery = promise(place.account)
    with watching(delivery) as seen:
        the_call_is_held(place)
        os.kill(doomed.process.pid, signal.SIGKILL)
        doomed.process.wait(timeout=5)
        publish_due()
        assert state_of(delivery) == "sending"  # the dead one's lease: nobody may touch it yet
        assert place.texts().count(text_of(delivery)) == 1
        place.proxy.clear()
        met = until_settled(delivery, publish_due, movable_clock)
    assert met[-1] == "published", (met, delivery.problem)
    assert "unclear" in met
    assert "published" not in [state for _, state in seen[:-1]]
    assert_out_once(place, delivery)


def test_a_publisher_told_to_stop_finishes_what_it_is_sending_and_leaves_the_rest(
    place_on_bluesky: Place, promise: Promise, roles: Roles, publish_due: Callable[[], None]
) -> None:
    place = place_on_bluesky
    leaving = roles.publisher()
    place.proxy.hold_answer(2, None, place.write)
    first, second = promise(place.account), promise(place.account, after=0.5)
    the_call_is_held(place)
    leaving.process.send_signal(signal.SIGTERM)
    assert leaving.process.wait(timeout=15) == 0, leaving.last_lines()
    assert_out_once(place, first)
    assert state_of(second) == "scheduled"
    assert place.texts().count(text_of(second)) == 0
    publish_due()
    assert_out_once(place, second)
    assert len(place.calls()) == 2
