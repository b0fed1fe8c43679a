"""``regie doctor`` tells of each account what its page tells: what it lacks, and that its sign-in soon ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from regie.accounts.models import Account
from regie.accounts.opening import seal_credentials
from regie.cli import doctor

if TYPE_CHECKING:
    from tests.conftest import Clock

pytestmark = pytest.mark.django_db
LACK = "The channel has no discussion group, so nobody can comment: link one in its settings."


@pytest.fixture
def account(make_account: Callable[..., Account]) -> Account:
    account = make_account("telegram", "Atelier Nord")
    seal_credentials(account, {"access_token": "t"})
    account.save()
    return account


def said() -> list[str]:
    return [one.said for one in doctor._accounts() if one.verdict == "note"]


def test_an_account_in_order_is_not_spoken_of(clock: Clock, account: Account) -> None:
    account.reconnect_by = clock.moment + timedelta(days=30)
    account.save()
    assert said() == []


def test_what_an_account_lacks_is_told(clock: Clock, account: Account) -> None:
    account.limits = {"missing": [LACK]}
    account.save()
    assert said() == [LACK]


def test_a_sign_in_that_soon_ends_is_told(clock: Clock, account: Account) -> None:
    account.reconnect_by = clock.moment + timedelta(days=5)
    account.save()
    assert said() == ["It stops working on 2030-03-06 unless it is connected again: open Accounts in Régie."]
