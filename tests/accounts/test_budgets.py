"""What networks allow, counted once for all who call: portions, reserves, rolling windows, the network's own word."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from regie.accounts import budgets
from regie.accounts.budgets import Ask, Priority, Word, believe, gift, give, heard, standing, take, wait_until
from regie.accounts.models import Account, Budget
from regie.networks import registry
from regie.publishing.models import Lane

if TYPE_CHECKING:
    from tests.conftest import Clock

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1).total_seconds()


@pytest.fixture
def shop(clock: Clock, make_account: Callable[..., Account]) -> Account:
    return make_account("mastodon", "Atelier Nord")


def ask(account: Account, *, want: int = 1, most: int = 50, seconds: float = DAY, reserve: int = 0) -> Ask:
    return Ask(
        key=f"account:{account.pk}",
        name="posts",
        account_id=account.pk,
        most=most,
        seconds=seconds,
        want=want,
        least=1,
        reserve=reserve,
    )


def speaker(account: Account) -> type:
    return registry.connector(account.network)


def test_no_more_is_granted_than_the_network_allows_in_any_window(clock: Clock, shop: Account) -> None:
    (first,) = take([ask(shop, want=30)])
    clock.advance(hours=10)
    (second,) = take([ask(shop, want=30)])
    (third,) = take([ask(shop)])
    assert (first.granted, second.granted, third.granted) == (30, 20, 0)
    assert third.free_at is not None

    clock.set(third.free_at - timedelta(seconds=1))
    assert take([ask(shop)])[0].granted == 0
    clock.set(third.free_at)
    assert take([ask(shop, want=50)])[0].granted == 30  # the first thirty are a day old, the twenty are not


def test_what_frees_up_is_told_no_earlier_than_a_window_after_it_was_taken(clock: Clock, shop: Account) -> None:
    began = clock.moment
    take([ask(shop, want=50)])
    free_at = take([ask(shop)])[0].free_at
    assert free_at is not None
    assert timedelta(days=1) <= free_at - began <= timedelta(days=1, minutes=31)


def test_several_wishes_for_one_quota_in_one_visit_see_each_other(shop: Account) -> None:
    granted = take([ask(shop, want=30), ask(shop, want=30)])
    assert [one.granted for one in granted] == [30, 20]


def test_what_is_given_back_can_be_taken_again(shop: Account) -> None:
    (first,) = take([ask(shop, want=50)])
    give([gift(f"account:{shop.pk}", "posts", first, 20), gift(f"account:{shop.pk}", "posts", first, 5)])
    assert take([ask(shop, want=50)])[0].granted == 25


def test_readers_stop_while_a_reserve_is_left_for_publishing(shop: Account) -> None:
    connector = speaker(shop)
    assert wait_until(shop, connector, "read", times=240) is None
    until = wait_until(shop, connector, "read")
    assert until is not None
    assert wait_until(shop, connector, "read", times=45, priority=Priority.RECONCILE) is None
    assert wait_until(shop, connector, "read", priority=Priority.RECONCILE) is not None
    assert wait_until(shop, connector, "publish", times=15, priority=Priority.PUBLISH) is None
    assert wait_until(shop, connector, "publish", priority=Priority.PUBLISH) is not None


def test_a_call_that_one_quota_refuses_costs_nothing_in_the_others(shop: Account) -> None:
    connector = speaker(shop)
    assert wait_until(shop, connector, "upload", times=30, priority=Priority.PUBLISH) is None
    assert wait_until(shop, connector, "upload", priority=Priority.PUBLISH) is not None
    left = {row.name: sum(row.spent.values()) for row in Budget.objects.filter(account=shop)}
    assert left == {"uploads": 30, "requests": 30}


def test_the_networks_own_word_is_believed_until_its_window_ends(clock: Clock, shop: Account) -> None:
    take([ask(shop, want=10)])
    word = Word(
        key=f"account:{shop.pk}",
        name="posts",
        account_id=shop.pk,
        most=100,
        seconds=DAY,
        left=2,
        resets_at=clock.at("12:00"),
    )
    heard([word])
    assert [one.granted for one in take([ask(shop, want=5), ask(shop)])] == [2, 0]
    assert take([ask(shop)])[0].free_at == clock.at("12:00")
    clock.set("12:00")
    assert take([ask(shop, want=50)])[0].granted == 38  # our own count again: 50 less 10 less 2


def test_a_wish_to_be_left_alone_is_obeyed_by_all_and_reaches_the_lane(clock: Clock, shop: Account) -> None:
    Lane.objects.create(account=shop, workspace=shop.workspace)
    budgets.ask_to_wait(shop.pk, clock.at("09:30"))
    budgets.ask_to_wait(shop.pk, clock.at("09:10"))  # shorter than what was asked before: changes nothing
    assert wait_until(shop, speaker(shop), "read") == clock.at("09:30")
    assert take([ask(shop)])[0].free_at == clock.at("09:30")
    assert Lane.objects.get(account=shop).not_before == clock.at("09:30")
    clock.set("09:30")
    assert wait_until(shop, speaker(shop), "read") is None


def test_a_bots_quota_is_counted_over_all_its_chats(
    clock: Clock, make_account: Callable[..., Account], telegram_speaker: Callable[..., object]
) -> None:
    one, two = (make_account("telegram", name) for name in ("News", "Sales"))
    same_bot = telegram_speaker(f"123456789:{'A' * 35}")
    assert wait_until(one, same_bot, "publish", times=20, priority=Priority.PUBLISH) is None
    assert wait_until(two, same_bot, "publish", times=11, priority=Priority.PUBLISH) is not None
    assert wait_until(two, same_bot, "publish", times=10, priority=Priority.PUBLISH) is None
    assert (
        wait_until(two, telegram_speaker(f"987654321:{'B' * 35}"), "publish", times=10, priority=Priority.PUBLISH)
        is None
    )
    assert not Budget.objects.filter(key__contains="AAAA").exists()


@pytest.fixture
def telegram_speaker() -> Callable[..., object]:
    """A bot's connector, by its token; it says nothing."""
    from typing import Any, cast

    from regie.networks.data import Login

    def make(token: str) -> object:
        login = Login(server="https://telegram.example", credentials={"token": token})
        return speaker_of_telegram(cast(Any, None), login)

    speaker_of_telegram: Any = registry.connector("telegram")
    return make


def test_what_is_left_is_told_to_people(clock: Clock, make_account: Callable[..., Account]) -> None:
    account = make_account("bluesky", "Atelier Nord")
    first = standing(account)[0]
    assert (first.name, first.is_daily, first.calls, first.most_calls) == ("writes of a day", True, 11_666, 11_666)
    wait_until(account, speaker(account), "publish", times=100, priority=Priority.PUBLISH)
    assert standing(account)[0].calls == 11_566
    clock.advance(hours=26)
    assert standing(account)[0].calls == 11_666


def test_posts_made_elsewhere_count_as_the_network_tells_them(
    clock: Clock, make_account: Callable[..., Account]
) -> None:
    account = make_account("threads", "Atelier Nord")
    wait_until(account, speaker(account), "publish", times=3, priority=Priority.PUBLISH)
    account.limits = {"posts_a_day": 250, "posts_today": 3}  # those of ours
    believe(account)
    assert (standing(account)[0].calls, standing(account)[0].resets_at) == (247, None)
    account.limits = {"posts_a_day": 250, "posts_today": 249}
    believe(account)
    assert standing(account)[0].calls == 1
    wait_until(account, speaker(account), "publish", priority=Priority.PUBLISH)
    assert wait_until(account, speaker(account), "publish", priority=Priority.PUBLISH) is not None
    clock.advance(hours=6)
    account.limits = {"posts_a_day": 250, "posts_today": 100}  # the oldest have left the window
    believe(account)
    assert standing(account)[0].calls == 150
    clock.advance(hours=8)
    assert standing(account)[0].calls == 246  # nobody told for long: our own count


@pytest.mark.django_db(transaction=True)
def test_many_who_take_at_once_never_get_more_than_there_is(clock: Clock, shop: Account) -> None:
    got: list[int] = []

    def greedy() -> None:
        try:
            for _ in range(20):
                got.extend(one.granted for one in take([ask(shop, want=3), ask(shop, want=1, most=50)]))
        finally:
            connection.close()

    threads = [threading.Thread(target=greedy) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == 50
