"""A post's page and a receipt: what is offered in each state, and that it does what it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.core import clock as product_clock
from regie.core.times import WallTime
from regie.people.models import Member
from regie.people.scope import Scope
from regie.publishing import pages, services
from regie.publishing.models import Delivery, Step
from regie.publishing.states import State
from regie.studio.models import Post

SignIn = Callable[[Member], Client]


@pytest.fixture
def promised(
    bob: Member, make_account: Callable[..., Account], write_post: Callable[..., Post], clock: Any
) -> Delivery:
    """ "Good morning" on Mastodon, in an hour."""
    post = write_post("Good morning", on=[make_account()])
    at = WallTime.at(product_clock.now() + timedelta(hours=1), "Europe/Paris")
    return services.schedule(post=post, at=at, by=bob)[0]


def brought_to(delivery: Delivery, state: State) -> Delivery:
    """The delivery in a state, by a way the database allows."""
    ways: dict[State, tuple[State, ...]] = {
        State.SENDING: (State.CLAIMED, State.SENDING),
        State.PROCESSING: (State.CLAIMED, State.SENDING, State.PROCESSING),
        State.PUBLISHED: (State.CLAIMED, State.SENDING, State.PUBLISHED),
        State.PARTLY: (State.CLAIMED, State.SENDING, State.PARTLY),
        State.UNCLEAR: (State.CLAIMED, State.SENDING, State.UNCLEAR),
        State.REFUSED: (State.CLAIMED, State.REFUSED),
        State.SCHEDULED: (),
    }
    there = State(delivery.state)
    way = ways.get(state, (state,))
    for step in way[way.index(there) + 1 :] if there in way else way:
        more: dict[str, Any] = {"holds": ["frozen"]} if step == State.HELD else {}
        if step == State.PUBLISHED:
            more = {"remote_id": "109", "url": "https://mastodon.example/@nord/109"}
        Delivery.objects.filter(pk=delivery.pk).update(state=step, **more)
    delivery.refresh_from_db()
    return delivery


OFFERED: dict[State, set[str]] = {
    State.HELD: {"move", "cancel"},
    State.SCHEDULED: {"move", "cancel"},
    State.PREPARING: {"cancel"},
    State.CLAIMED: {"cancel"},
    State.SENDING: set(),
    State.PROCESSING: set(),
    State.PUBLISHED: {"delete"},
    State.PARTLY: {"finish", "leave", "take-back"},
    State.UNCLEAR: {"there", "absent"},
    State.REFUSED: {"send-again", "move", "cancel"},
    State.MISSED: {"send-again", "move", "cancel"},
    State.BY_HAND: {"done", "move", "cancel"},
    State.CANCELLED: {"undo-cancel"},
}


@pytest.mark.parametrize("state", list(State))
def test_each_state_offers_what_can_be_done_and_its_pages_are_drawn(
    state: State, promised: Delivery, bob: Member, seat: Callable[..., Member], signed_in: SignIn
) -> None:
    brought_to(promised, state)
    assert pages.view_of(promised, bob).may == OFFERED[state]
    assert pages.view_of(promised, seat("Gaël", "guest")).may == frozenset()
    client = signed_in(bob)
    for path in (
        f"posts/{promised.variant.post_id}/",
        f"deliveries/{promised.pk}/",
        f"deliveries/{promised.pk}/by-hand/",
    ):
        page = client.get(f"/w/atelier-nord/{path}").content.decode()
        for action in OFFERED[state] - {"done", "undo-cancel"}:
            if "by-hand" not in path:
                assert f"/deliveries/{promised.pk}/{action}/" in page, (path, action)


@pytest.mark.parametrize(
    ("state", "action", "sent", "then"),
    [
        (State.SCHEDULED, "cancel", {}, State.CANCELLED),
        (State.CANCELLED, "undo-cancel", {}, State.SCHEDULED),
        (State.REFUSED, "send-again", {}, State.SCHEDULED),
        (State.MISSED, "send-again", {}, State.SCHEDULED),
        (State.UNCLEAR, "there", {"link": "https://mastodon.example/@nord/110"}, State.PUBLISHED),
        (State.UNCLEAR, "absent", {}, State.MISSED),
        (State.PARTLY, "finish", {}, State.SCHEDULED),
        (State.BY_HAND, "done", {"link": "https://mastodon.example/@nord/111"}, State.PUBLISHED),
    ],
)
def test_an_action_does_what_its_button_says(
    state: State, action: str, sent: dict[str, str], then: State, promised: Delivery, bob: Member, signed_in: SignIn
) -> None:
    brought_to(promised, state)
    back = f"/w/atelier-nord/posts/{promised.variant.post_id}/"
    response = signed_in(bob).post(f"/w/atelier-nord/deliveries/{promised.pk}/{action}/", {**sent, "back": back})
    assert (response.status_code, response["Location"]) == (302, back)
    promised.refresh_from_db()
    assert promised.state == then


def test_what_may_be_out_is_not_called_cancelled(promised: Delivery, bob: Member, signed_in: SignIn) -> None:
    promised.steps.update(state=Step.State.UNCLEAR)
    page = signed_in(bob).post(f"/w/atelier-nord/deliveries/{promised.pk}/cancel/", follow=True).content.decode()
    promised.refresh_from_db()
    assert (promised.state, promised.called_off) == ("unclear", True)
    assert "It may be out already: Régie looks, and sends nothing more." in page
    assert "Cancelled." not in page
    assert "undo-cancel" not in page


@pytest.mark.parametrize("action", ["take-back", "delete"])
def test_deleting_waits_for_a_publisher_and_says_so(
    action: str, promised: Delivery, bob: Member, signed_in: SignIn
) -> None:
    brought_to(promised, State.PARTLY if action == "take-back" else State.PUBLISHED)
    client = signed_in(bob)
    client.post(f"/w/atelier-nord/deliveries/{promised.pk}/{action}/")
    promised.refresh_from_db()
    assert promised.remove_at is not None
    assert "Being deleted" in client.get(f"/w/atelier-nord/deliveries/{promised.pk}/").content.decode()


def test_a_move_can_be_undone(promised: Delivery, bob: Member, signed_in: SignIn) -> None:
    before = promised.local_at
    client = signed_in(bob)
    page = client.post(
        f"/w/atelier-nord/deliveries/{promised.pk}/move/",
        {"date": "2030-03-04", "time": "08:30", "zone": "Europe/Paris"},
        follow=True,
    ).content.decode()
    promised.refresh_from_db()
    assert f"{promised.local_at:%Y-%m-%d %H:%M}" == "2030-03-04 08:30"
    undo = page.split("data-toast-undo", 1)[1].split('action="', 1)[1].split('"', 1)[0]
    client.post(undo)
    promised.refresh_from_db()
    assert promised.local_at == before


def test_a_move_into_the_past_is_refused_with_a_sentence(promised: Delivery, bob: Member, signed_in: SignIn) -> None:
    back = f"http://testserver/w/atelier-nord/deliveries/{promised.pk}/"
    client = signed_in(bob)
    response = client.post(
        f"/w/atelier-nord/deliveries/{promised.pk}/move/",
        {"date": "2020-01-01", "time": "08:30", "zone": "Europe/Paris"},
        headers={"Referer": back},
    )
    assert (response.status_code, response["Location"]) == (303, back)
    assert "This time has passed" in client.get(back).content.decode()


def test_a_page_that_knows_the_state_is_told_nothing_new(promised: Delivery, bob: Member, signed_in: SignIn) -> None:
    client = signed_in(bob)
    mark = pages.mark(pages.deliveries_seen(Scope.for_member(bob)).get(pk=promised.pk))
    url = f"/w/atelier-nord/deliveries/{promised.pk}/row/?mark={mark}"
    assert client.get(url).status_code == 204
    brought_to(promised, State.SENDING)
    fresh = client.get(url)
    assert "Sending" in fresh.content.decode()
    assert 'hx-trigger="every 2s"' in fresh.content.decode()
    brought_to(promised, State.PUBLISHED)
    assert 'hx-trigger="every 2s"' not in client.get(url).content.decode().replace("visible", "")


def test_the_receipt_tells_the_moments_to_the_millisecond(promised: Delivery, bob: Member, signed_in: SignIn) -> None:
    brought_to(promised, State.PUBLISHED)
    due = promised.due_at
    Delivery.objects.filter(pk=promised.pk).update(
        sent_at=due + timedelta(milliseconds=120), accepted_at=due + timedelta(milliseconds=540), visible_at=due
    )
    page = signed_in(bob).get(f"/w/atelier-nord/deliveries/{promised.pk}/").content.decode()
    assert "11:00:00.540" in page  # on Bob's clocks, in Paris
    assert "0.420 s" in page


def test_the_page_for_publishing_by_hand_says_what_the_post_says_now(
    promised: Delivery, bob: Member, signed_in: SignIn
) -> None:
    brought_to(promised, State.BY_HAND)
    post = promised.variant.post
    post.content["parts"][0]["text"] = "Good evening"
    post.save()
    page = signed_in(bob).get(f"/w/atelier-nord/deliveries/{promised.pk}/by-hand/").content.decode()
    assert "Good evening" in page
    assert Step.objects.get(delivery=promised).content["text"] == "Good morning"


def test_an_account_taken_off_the_post_takes_its_delivery_along(
    promised: Delivery, bob: Member, signed_in: SignIn
) -> None:
    post = promised.variant.post
    signed_in(bob).post(
        "/w/atelier-nord/posts/save/",
        {
            "post": post.pk,
            "workspace": post.workspace_id,
            "version": post.version,
            "s-parts": 1,
            "s-0-text": "Good morning",
        },
    )
    promised.refresh_from_db()
    assert promised.state == State.CANCELLED
