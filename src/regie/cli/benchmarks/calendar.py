"""How long the calendar's month takes the server, with thousands of deliveries in it, and how many queries.

An installation of its own in a temporary folder, asked through the whole stack of Django as the browser of a signed-in
person would ask: session, scope, queries, templates; no network in between. Half of the deliveries are planned first:
the number of queries must not change with the other half.
"""

from __future__ import annotations

import argparse
import statistics
import time
from datetime import timedelta
from typing import Any

from regie.cli.benchmarks import Report, Result
from regie.cli.benchmarks.house import House, in_a_house

BUDGET = "a month with 2,000 deliveries <= 150 ms of server time, a constant number of queries"
MOST_MS = 150.0
WARM = 3  # first answers compile templates


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--deliveries", type=int, default=2000, help="in the month that is shown (2000)")
    parser.add_argument("--accounts", type=int, default=50, help="over so many accounts of one workspace (50)")
    parser.add_argument("--rounds", type=int, default=15, help="the median of so many answers (15)")


def run(arguments: argparse.Namespace) -> Report:
    return in_a_house(_measure, arguments)


def _measure(house: House, given: argparse.Namespace) -> Report:
    house.make_accounts("mastodon", given.accounts, workspaces=1)
    browser, address = _signed_in(house)
    few = max(given.deliveries // 2, 1)
    house.plan_in_days(few, days=28)
    before, _times = _ask(browser, address, rounds=2)
    house.plan_in_days(given.deliveries - few, days=28)
    queries, times = _ask(browser, address, rounds=given.rounds)
    middle, worst = statistics.median(times) * 1000, max(times) * 1000
    results = [
        Result("calendar's month, median", round(middle, 1), "ms", MOST_MS),
        Result("queries more for twice the deliveries", queries - before, "queries", 0),
    ]
    line: dict[str, Any] = {
        "deliveries": given.deliveries,
        "accounts": given.accounts,
        "median_ms": round(middle, 1),
        "worst_ms": round(worst, 1),
        "queries": queries,
        "queries_before": before,
        **house.settings(),
    }
    return Report(results, line)


def _signed_in(house: House) -> tuple[Any, str]:
    """A browser of an owner, and the address of the month that the deliveries are in."""
    from django.conf import settings
    from django.test import Client
    from django.utils import timezone

    from regie.accounts.models import Account
    from regie.people.models import Member, User

    workspace = Account.objects.get(pk=house.accounts[0]).workspace
    user = User.objects.create_user("bench@example.org", name="Bench", zone="UTC")
    Member.objects.create(workspace=workspace, user=user, role="owner")
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver"]
    browser = Client()
    browser.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    month = (timezone.now() + timedelta(days=32)).replace(day=1).date()
    return browser, f"/w/{workspace.slug}/calendar/?view=month&on={month.isoformat()}"


def _ask(browser: Any, address: str, *, rounds: int) -> tuple[int, list[float]]:
    """Queries of one answer, and seconds of each."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    times = []
    for number in range(WARM + rounds):
        began = time.perf_counter()
        answer = browser.get(address, secure=True)
        took = time.perf_counter() - began
        if answer.status_code != 200:
            raise RuntimeError(f"The calendar answered {answer.status_code}.")
        if number >= WARM:
            times.append(took)
    with CaptureQueriesContext(connection) as seen:
        browser.get(address, secure=True)
    return len(seen), times
