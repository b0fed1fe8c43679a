"""How late a post may go out by itself: set for each, with the workspace's default; after that a person decides."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.core.times import WallTime
from regie.people.models import Member
from regie.people.services import change_workspace
from regie.publishing import services
from regie.publishing.models import Delivery
from regie.studio.models import Post

from .going import state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "/w/atelier-nord"


def test_after_an_outage_of_hours_nothing_stale_goes_out_by_itself(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
    bob: Member,
) -> None:
    stale = [promise(write_post(f"Post {number}", on=[account]), f"1{number}:00") for number in range(4)]
    patient = promise(write_post("Patient", on=[account]), "10:30", late_minutes=720)
    fresh = promise(write_post("Fresh", on=[account]), "14:50")
    clock.set("15:00")  # nobody was there since 09:00
    publish_due()
    assert [state_of(one) for one in stale] == ["missed"] * 4
    assert (state_of(patient), state_of(fresh)) == ("published", "published")
    assert mastodon.texts() == ["Patient", "Fresh"]
    clock.advance(hours=5)
    publish_due()
    assert len(mastodon.texts()) == 2


def test_a_post_that_may_not_be_late_at_all_asks_after_its_minute(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> None:
    punctual = promise(write_post("Now or never", on=[account]), "10:00", late_minutes=0)
    clock.set("10:00")
    clock.advance(seconds=5)
    publish_due()
    assert state_of(punctual) == "missed"
    assert mastodon.texts() == []


def test_the_workspace_says_how_late_where_nothing_else_is_said(
    clock: Clock, make_account: Callable[..., Account], write_post: Callable[..., Post], alice: Member, bob: Member
) -> None:
    there = alice.workspace
    change_workspace(workspace=there, name=there.name, zone=there.zone, language="fr", late_minutes=15, by=alice)
    post, at = write_post("Good morning", on=[make_account()]), WallTime.at(clock.at("12:00"), "Europe/Paris")
    (delivery,) = services.schedule(post=post, at=at, by=bob)
    assert delivery.late_minutes == 15
    services.move(delivery, at=WallTime.at(clock.at("13:00"), "Europe/Paris"), by=bob, late_minutes=180)
    delivery.refresh_from_db()
    assert delivery.late_minutes == 180


@pytest.fixture
def missed(
    clock: Clock, make_account: Callable[..., Account], write_post: Callable[..., Post], bob: Member
) -> list[int]:
    """Three that nobody sent, due at 10:00, 10:10 and 10:20 Paris time; it is afternoon."""
    account, made = make_account(), []
    for number in range(3):
        at = WallTime.at(clock.at(f"09:{number + 1}0"), "Europe/Paris")
        made += services.schedule(post=write_post(f"Post {number}", on=[account]), at=at, by=bob)
    clock.set("14:00")
    Delivery.objects.update(state="missed")
    return [one.pk for one in made]


def test_many_are_planned_again_one_after_the_other(
    missed: list[int], bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    browser = signed_in(bob)
    page = browser.get(f"{HERE}/deliveries/missed/").content.decode()
    assert "Post 0" in page
    browser.post(
        f"{HERE}/deliveries/missed/plan/",
        {"delivery": missed, "date": "2030-03-02", "time": "09:00", "zone": "Europe/Paris", "apart": "20"},
    )
    rows = Delivery.objects.filter(state="scheduled").order_by("due_at")
    assert [f"{row.local_at:%d %H:%M}" for row in rows] == ["02 09:00", "02 09:20", "02 09:40"]
    assert "Nothing was missed" in browser.get(f"{HERE}/deliveries/missed/").content.decode()


def test_many_are_sent_now_or_let_go(missed: list[int], bob: Member, signed_in: Callable[[Member], Client]) -> None:
    browser = signed_in(bob)
    browser.post(f"{HERE}/deliveries/missed/send/", {"delivery": missed[:2]})
    browser.post(f"{HERE}/deliveries/missed/cancel/", {"delivery": missed[2:]})
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == [
        "scheduled",
        "scheduled",
        "cancelled",
    ]
    assert browser.post(f"{HERE}/deliveries/missed/explode/", {"delivery": missed}).status_code == 404


def test_a_time_that_has_passed_is_refused_and_nothing_is_planned(
    missed: list[int], bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    answer = signed_in(bob).post(
        f"{HERE}/deliveries/missed/plan/",
        {"delivery": missed, "date": "2030-02-01", "time": "09:00", "zone": "Europe/Paris", "apart": "5"},
        follow=True,
    )
    assert "This time has passed" in answer.content.decode()
    assert Delivery.objects.filter(state="missed").count() == 3


def test_a_second_click_is_told_that_it_is_settled_and_none_chosen_to_choose(
    missed: list[int], bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    browser = signed_in(bob)
    assert "data-busy" in browser.get(f"{HERE}/deliveries/missed/").text
    cancel = f"{HERE}/deliveries/missed/cancel/"
    browser.post(cancel, {"delivery": missed[:1]})
    again = browser.post(cancel, {"delivery": missed[:1]}, follow=True).text
    assert "They were settled meanwhile." in again
    assert "Choose at least one." not in again
    assert "Choose at least one." in browser.post(cancel, follow=True).text


def test_a_mistyped_zone_loses_neither_ticks_nor_fields(
    missed: list[int], bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    browser, plan = signed_in(bob), f"{HERE}/deliveries/missed/plan/"
    sent = {"delivery": missed[1:], "date": "2030-03-02", "time": "09:05", "zone": "Europe/Pariss", "apart": "25"}
    answer = browser.post(plan, sent)
    page = answer.text
    assert answer.status_code == 422
    assert "This is not a time zone we know" in page
    assert re.findall(r'name="delivery" value="(\d+)" checked', page) == [str(pk) for pk in missed[1:]]
    for value in ("2030-03-02", "09:05", "Europe/Pariss", "25"):
        assert f'value="{value}"' in page
    assert re.search(r'<input[^>]*name="zone"[^>]* autofocus', page)
    assert Delivery.objects.filter(state="missed").count() == 3
    assert browser.get(f"{plan}?page=2")["Location"] == f"{HERE}/deliveries/missed/?page=2"  # the pager below it
    browser.post(plan, {**sent, "zone": "Europe/Paris"})
    assert Delivery.objects.filter(state="missed").count() == 1


@pytest.mark.parametrize("action", ["send", "plan", "cancel"])
def test_who_may_decide(
    action: str,
    missed: list[int],
    charlie: Member,
    seat: Callable[..., Member],
    signed_in: Callable[[Member], Client],
) -> None:
    sent = {"delivery": missed, "date": "2030-03-02", "time": "09:00", "zone": "Europe/Paris", "apart": "5"}
    stranger, guest = signed_in(charlie), signed_in(seat("Gaël", "guest"))
    assert stranger.post(f"{HERE}/deliveries/missed/{action}/", sent).status_code == 404
    assert stranger.post(f"/w/velo-club/deliveries/missed/{action}/", sent).status_code in (302, 404)
    assert guest.post(f"{HERE}/deliveries/missed/{action}/", sent).status_code == 403
    assert guest.get(f"{HERE}/deliveries/missed/").status_code == 200
    assert Delivery.objects.filter(state="missed").count() == 3
