"""Numbers are asked for on a timetable, kept as the network said them, and never made up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from regie.measure import queries, services
from regie.measure.models import Collection, Round, Sample
from regie.measure.timetable import next_after
from regie.measure.words import WORDS
from regie.networks.metrics import METRICS

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from regie.publishing.models import Delivery
    from tests.conftest import Clock, Sandbox

Collect = Callable[[], int]
Publish = Callable[..., "Delivery"]
T0 = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)


def test_a_post_is_asked_often_at_first_and_ever_more_rarely_for_a_year() -> None:
    moments, now = [], T0
    while (due := next_after(T0, now)) is not None:
        moments.append(due - T0)
        now = due
    hours = timedelta(hours=1)
    assert moments[:7] == [
        timedelta(minutes=5),
        timedelta(minutes=15),
        hours,
        3 * hours,
        6 * hours,
        12 * hours,
        24 * hours,
    ]
    days = [one.days for one in moments[6:]]
    assert days[:31] == [*range(1, 31), 37]
    assert days[-1] <= 365
    assert next_after(T0, T0 + timedelta(days=400)) is None


def test_every_metric_has_words() -> None:
    assert set(WORDS) == set(METRICS)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("network", ["mastodon", "bluesky"])
def test_a_like_shows_in_the_samples_and_zero_is_a_zero(
    network: str, clock: Clock, request: pytest.FixtureRequest, published: Publish, collect: Collect
) -> None:
    sandbox: Sandbox = request.getfixturevalue(network)
    delivery = published("Open today", request.getfixturevalue(f"{network}_account"))
    collect()
    sandbox.like(by="ana", post_id=delivery.remote_id)
    clock.advance(minutes=5)
    assert collect() == 1
    told = {number.metric: number.value for number in queries.numbers_of(delivery)}
    assert (told["likes"], told["shares"], told["replies"]) == (1, 0, 0)
    assert Collection.objects.get().reactions == 1
    assert collect() == 0  # not before the next moment of its timetable
    clock.advance(minutes=10)
    assert collect() == 1
    assert [value for _, value in queries.series_of(delivery)["likes"]] == [1, 1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("network", ["mastodon", "bluesky", "telegram"])
def test_followers_are_counted_on_connection_and_every_six_hours(
    network: str, clock: Clock, request: pytest.FixtureRequest, collect: Collect
) -> None:
    sandbox: Sandbox = request.getfixturevalue(network)
    account: Account = request.getfixturevalue(f"{network}_account")
    assert collect() == 1
    before = queries.last_numbers(Round.objects.get().latest, ["followers"])[0].value
    assert before is not None
    sandbox.follow(by="ana", account=account.remote_id if network == "telegram" else "regie")
    clock.advance(hours=5)
    assert collect() == 0
    clock.advance(hours=1)
    assert collect() == 1
    after = queries.last_numbers(Round.objects.get().latest, ["followers"])[0]
    assert (after.value, after.at) == (before + 1, clock.moment)


@pytest.mark.django_db(transaction=True)
def test_what_the_network_does_not_say_is_none_and_never_zero(
    clock: Clock, telegram: Sandbox, telegram_account: Account, published: Publish, collect: Collect
) -> None:
    delivery = published("Open today", telegram_account)
    collect()
    clock.advance(minutes=5)
    collect()
    assert [sample.value for sample in Sample.objects.filter(delivery=delivery)] == [None]
    (likes,) = queries.numbers_of(delivery)
    assert (likes.value, Collection.objects.get().reactions) == (None, None)


@pytest.mark.django_db(transaction=True)
def test_a_post_that_left_the_network_is_marked_gone_and_asked_no_more(
    clock: Clock, bluesky: Sandbox, bluesky_account: Account, published: Publish, collect: Collect
) -> None:
    delivery = published("Open today", bluesky_account)
    collect()
    services.store_of_posts([delivery], {})
    delivery.refresh_from_db()
    assert delivery.gone_at == clock.moment
    assert Collection.objects.get().next_at is None


@pytest.mark.django_db(transaction=True)
def test_a_network_that_asks_to_wait_is_left_alone_until_then(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, collect: Collect
) -> None:
    until = clock.moment + timedelta(minutes=40)
    mastodon.will_answer(429, headers={"X-RateLimit-Reset": until.strftime("%Y-%m-%dT%H:%M:%SZ")})
    assert collect() == 1
    assert collect() == 0
    assert not Sample.objects.exists()
    clock.set(until)
    assert collect() == 1
    assert Sample.objects.filter(metric="followers").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_dead_token_disconnects_the_account(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, collect: Collect
) -> None:
    mastodon.will_answer(401)
    collect()
    mastodon_account.refresh_from_db()
    assert mastodon_account.state == "broken"
    clock.advance(days=1)
    assert collect() == 0


@pytest.mark.django_db(transaction=True)
def test_one_collector_at_a_time_asks_for_an_account(clock: Clock, mastodon_account: Account) -> None:
    assert services.take(mastodon_account.pk) is not None
    assert services.take(mastodon_account.pk) is None
    clock.advance(minutes=6)  # the first one died
    assert services.take(mastodon_account.pk) is not None
