"""What an account's page says of its formats and of its day, in the words of whoever reads it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from regie.accounts.budgets import standing
from regie.accounts.models import Account
from regie.networks import registry
from regie.people.models import Member

from .walking import HERE

DAY = timedelta(days=1)


def facts(page: str) -> dict[str, str]:
    """The page's terms, each with what stands behind it."""
    found = re.findall(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", page, flags=re.S)
    return {term.strip(): " ".join(re.sub(r"<[^>]+>", " ", said).split()) for term, said in found}


@pytest.mark.parametrize(
    ("network", "yes", "no"),
    [
        ("facebook", {"Videos", "Short video", "Story", "First comment"}, {"Documents", "Sounds", "Thread"}),
        ("mastodon", {"Videos", "Sounds", "Thread", "First comment"}, {"Short video", "Story", "Documents"}),
        ("linkedin", {"Videos", "Documents", "First comment"}, {"Short video", "Story", "Sounds", "Thread"}),
    ],
)
def test_each_format_is_a_plain_yes_or_no(
    make_account: Callable[..., Account],
    alice: Member,
    signed_in: Callable[[Member], Client],
    network: str,
    yes: set[str],
    no: set[str],
) -> None:
    account = make_account(network)
    said = facts(signed_in(alice).get(f"{HERE}/{account.pk}/").text)
    assert {name for name in yes | no if said[name] == "yes"} == yes
    assert {name for name in yes | no if said[name] == "no"} == no


def test_a_quota_is_told_in_posts_and_time_and_not_by_our_own_name_for_it(
    make_account: Callable[..., Account], alice: Member, signed_in: Callable[[Member], Client]
) -> None:
    client, account = signed_in(alice), make_account("bluesky")
    said = facts(client.get(f"{HERE}/{account.pk}/").text)
    assert said["Posts in 1 hour"] == "1,666 of 1,666 left"
    assert said["Posts in 24 hours"] == "11,666 of 11,666 left"
    page = client.get("/settings/health/").text
    assert "Posts in 24 hours" in page
    assert "writes of a day" not in page


@pytest.mark.parametrize("network", ["instagram", "threads"])
def test_the_posts_of_a_day_that_meta_told_us_of_are_what_counts(
    make_account: Callable[..., Account], network: str
) -> None:
    account = make_account(network)
    account.limits = {**account.limits, "posts_a_day": 40}
    account.save()
    (day,) = [one for one in standing(account) if one.per == DAY]
    assert (day.calls, day.most_calls) == (40, 40)


def test_instagram_without_that_word_is_not_counted() -> None:
    assert registry.connector("instagram").can_on({}).quotas == ()


def test_accounts_of_one_name_are_told_apart_where_one_is_chosen(
    make_account: Callable[..., Account], alice: Member, signed_in: Callable[[Member], Client]
) -> None:
    for network in ("mastodon", "bluesky"):
        make_account(network)
    page = signed_in(alice).get("/w/atelier-nord/calendar/").text
    assert re.search(r"<option[^>]*>Atelier Nord \(Mastodon\)", page)
    assert re.search(r"<option[^>]*>Atelier Nord \(Bluesky\)", page)
