"""Pages of numbers: what they add up, what they leave open, and who sees them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from django.template import Context, Template

from regie.measure import queries
from regie.measure.models import Collection, Round, Sample
from regie.measure.queries import Period
from regie.people.permissions import MAY, Role
from regie.people.scope import Scope

if TYPE_CHECKING:
    from django.test import Client

    from regie.accounts.models import Account
    from regie.people.models import Member
    from regie.publishing.models import Delivery
    from regie.studio.models import Post
    from tests.conftest import Clock

HERE = "/w/atelier-nord/numbers/"
SignIn = Callable[..., "Client"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def account(make_account: Callable[..., Account]) -> Account:
    return make_account("mastodon", "Atelier Nord")


@pytest.fixture
def followers(clock: Clock) -> Callable[..., None]:
    """``followers(account, {0: 120, 29: 100})``: so many days ago, so many followers."""

    def keep(account: Account, told: dict[int, int | None]) -> None:
        for days, value in told.items():
            at = clock.moment - timedelta(days=days)
            Sample.objects.create(workspace=account.workspace, account=account, metric="followers", value=value, at=at)
        newest = told[min(told)]
        said = {"followers": [newest, clock.moment.isoformat()]} if newest is not None else {}
        Round.objects.update_or_create(account=account, defaults={"latest": said})

    return keep


@pytest.fixture
def out(clock: Clock, write_post: Callable[..., Post], bob: Member) -> Callable[..., Delivery]:
    """A delivery with these numbers: ``out("Hello", account, likes=3)``; the network was never asked."""
    from regie.core.times import WallTime
    from regie.publishing import services

    def publish(text: str, account: Account, **latest: int) -> Delivery:
        post = write_post(text, on=[account])
        (delivery,) = services.schedule(post=post, at=WallTime.at(clock.moment, "UTC"), by=bob)
        told = {name: [value, clock.moment.isoformat()] for name, value in latest.items()}
        Collection.objects.create(
            delivery=delivery,
            account=account,
            published_at=clock.moment,
            latest=told,
            reactions=sum(latest.values()) if latest else None,
        )
        return delivery

    return publish


def test_days_without_a_number_stay_open(clock: Clock, account: Account, followers: Callable[..., None]) -> None:
    followers(account, {0: 120, 2: 110, 3: None})
    period = Period(date(2030, 2, 26), date(2030, 3, 1))
    days = queries.account_days([account.pk], "followers", period)[account.pk]
    assert [one.value for one in days] == [None, 110, None, 120]
    assert queries.change_over(days) == 10
    assert queries.change_over(days[:2]) is None


def test_the_last_number_of_a_day_counts_and_a_day_begins_at_midnight_of_the_zone(
    clock: Clock, account: Account
) -> None:
    for hour, value in (("08:00", 5), ("22:30", 7), ("23:30", 9)):  # the last one is tomorrow in Paris
        Sample.objects.create(
            workspace=account.workspace, account=account, metric="followers", value=value, at=clock.at(hour)
        )
    period = Period(date(2030, 3, 1), date(2030, 3, 2), "Europe/Paris")
    days = queries.account_days([account.pk], "followers", period)[account.pk]
    assert [one.value for one in days] == [7, 9]


def test_more_than_400_days_are_not_read_at_once(account: Account, clock: Clock) -> None:
    with pytest.raises(queries.RangeTooLong):
        queries.account_days([account.pk], "followers", Period(date(2028, 1, 1), date(2030, 1, 1)))
    asked = queries.period_of("2001-01-01", "2099-01-01", zone="UTC")
    assert (asked.until, asked.days) == (date(2030, 3, 1), 400)
    assert queries.period_of("rubbish", "2030-02-30", zone="UTC").days == 30


def test_the_overview_adds_up_and_explains_itself(
    signed_in: SignIn,
    alice: Member,
    clock: Clock,
    account: Account,
    followers: Callable[..., None],
    out: Callable[..., Delivery],
) -> None:
    followers(account, {0: 1200, 29: 1000})
    out("Best of all", account, likes=40, shares=2, replies=1)
    out("Quiet one", account)
    page = signed_in(alice).get(HERE)
    shown = page.content.decode()
    (row,) = page.context["rows"]
    assert (row["numbers"].change, row["numbers"].published, row["numbers"].reactions) == (200, 2, 43)
    assert [post["title"] for post in page.context["best"]] == ["Best of all"]
    for word in ("1,200", "+200", "Source: Mastodon.", "People who follow the account", "followers-chart"):
        assert word in shown, word


def test_an_account_that_told_nothing_shows_dashes_and_not_zeros(
    signed_in: SignIn, alice: Member, clock: Clock, account: Account
) -> None:
    page = signed_in(alice).get(HERE)
    (row,) = page.context["rows"]
    assert (row["numbers"].followers.value, row["numbers"].change, row["numbers"].reactions) == (None, None, None)
    assert "The network has not told it yet." in page.content.decode()


def test_an_empty_page_says_how_numbers_come(signed_in: SignIn, alice: Member, clock: Clock) -> None:
    assert "No account to measure yet" in signed_in(alice).get(HERE).content.decode()


def test_the_table_can_be_taken_away_and_runs_nothing(
    signed_in: SignIn, alice: Member, clock: Clock, make_account: Callable[..., Account], followers: Callable[..., None]
) -> None:
    account = make_account("mastodon", "=HYPERLINK(1)")
    followers(account, {0: 7})
    reply = signed_in(alice).get(f"{HERE}?as=csv")
    assert reply["Content-Type"].startswith("text/csv")
    _head, line = csv.reader(reply.content.decode("utf-8-sig").splitlines())
    assert (line[0], line[4], line[6]) == ("'=HYPERLINK(1)", "7", "")


def test_the_page_of_an_account_shows_its_posts_and_their_table(
    signed_in: SignIn, alice: Member, clock: Clock, account: Account, out: Callable[..., Delivery]
) -> None:
    out("Best of all", account, likes=40)
    client = signed_in(alice)
    page = client.get(f"{HERE}accounts/{account.pk}/")
    assert [post["title"] for post in page.context["posts"]] == ["Best of all"]
    table = client.get(f"{HERE}accounts/{account.pk}/?as=csv").content.decode("utf-8-sig").splitlines()
    assert table[1].startswith("Best of all,")


@pytest.mark.parametrize("role", list(Role))
def test_who_sees_numbers_follows_the_table_of_roles(
    role: str, signed_in: SignIn, clock: Clock, account: Account, seat: Callable[..., Member]
) -> None:
    client, sees = signed_in(seat("Gaël", role)), role in MAY["measure"]
    assert (b"Atelier Nord" in client.get(HERE).content.split(b"<main")[1]) == sees
    assert client.get(f"{HERE}accounts/{account.pk}/").status_code == (200 if sees else 404)


def test_a_stranger_finds_no_numbers(signed_in: SignIn, clock: Clock, account: Account, charlie: Member) -> None:
    client = signed_in(charlie)
    for where in ("/w/velo-club", "/w/all", "/w/atelier-nord"):
        assert client.get(f"{where}/numbers/accounts/{account.pk}/").status_code == 404
    assert client.get("/w/all/numbers/").context["rows"] == []


def test_the_piece_on_a_post_draws_numbers_for_those_who_may_see_them_only(
    clock: Clock, account: Account, out: Callable[..., Delivery], bob: Member, seat: Callable[..., Member]
) -> None:
    delivery = out("Hello", account, likes=3)
    for minutes, value in ((10, 1), (5, 3)):
        at = clock.moment - timedelta(minutes=minutes)
        Sample.objects.create(
            workspace=account.workspace, account=account, delivery=delivery, metric="likes", value=value, at=at
        )
    piece = Template('{% include "measure/_post_chart.html" %}')
    seen = piece.render(Context({"delivery": delivery, "scope": Scope.for_member(bob)}))
    assert "Likes" in seen
    assert f"post-chart-{delivery.pk}" in seen
    hidden = piece.render(Context({"delivery": delivery, "scope": Scope.for_member(seat("Gaël", "guest"))}))
    assert "post-chart" not in hidden
