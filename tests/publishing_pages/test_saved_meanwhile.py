"""What becomes of a plan when a colleague saved the post, or put it in the bin, while it was typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from regie.planner.models import Recurrence
from regie.publishing.models import Delivery
from regie.studio import services
from regie.studio.content import Content, Part
from regie.studio.services import Given, Written

if TYPE_CHECKING:
    from django.test import Client

    from regie.accounts.models import Account
    from regie.people.models import Member
    from regie.studio.models import Post
    from tests.conftest import Clock

pytestmark = pytest.mark.django_db
HERE = "/w/atelier-nord"
SCHEDULE, PUBLISH, SAVE = (f"{HERE}/{path}/" for path in ("calendar/schedule", "posts/publish", "posts/save"))
Sent = dict[str, str | list[str]]
Browser = Callable[["Member"], "Client"]


@pytest.fixture
def post(make_account: Callable[..., Account], write_post: Callable[..., Post], clock: Clock) -> Post:
    return write_post("Before", on=[make_account()])


@pytest.fixture
def typed(post: Post) -> Sent:
    """Alice's composer, opened before anybody did anything."""
    return {
        "post": str(post.pk),
        "workspace": str(post.workspace_id),
        "version": str(post.version),
        "account": str(post.variants.get().account_id),
        "s-0-text": 'Alice & "linen"',
        "date": "2030-03-04",
        "time": "09:30",
        "zone": "Europe/Paris",
    }


@pytest.fixture
def saved_by_bob(post: Post, bob: Member) -> None:
    account = post.variants.get().account_id
    written = Written(content=Content(parts=[Part(text="By Bob")]), on={account: Given()})
    services.save(post=post, workspace=post.workspace, written=written, version=post.version, by=bob)


@pytest.fixture
def in_the_bin(post: Post, bob: Member) -> None:
    services.remove(posts=[post], by=bob)


def kept(page: Any) -> tuple[str, Sent]:
    """Where *Keep yours* leads, and what goes there with it."""
    form = re.search(
        r'<form class="card-footer" method="post" action="([^"]+)">(.*?)</form>', page.content.decode(), re.S
    )
    assert form is not None
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form[2]):
        fields.setdefault(unescape(name), []).append(unescape(value))
    return form[1], {name: values for name, values in fields.items() if name != "csrfmiddlewaretoken"}


def texts_planned() -> list[str]:
    rows = Delivery.objects.order_by("due_at").select_related("variant__post")
    return [f"{row.local_at:%m-%d %H:%M} {row.variant.document.text}" for row in rows]


@pytest.mark.usefixtures("saved_by_bob")
@pytest.mark.parametrize(
    ("more", "planned"),
    [
        ({}, ['03-04 09:30 Alice & "linen"']),
        (
            {"repeat": "weekly", "weekdays": ["MO", "TH"], "ends": "after", "count": "2"},
            ['03-04 09:30 Alice & "linen"', '03-07 09:30 Alice & "linen"'],
        ),
    ],
)
def test_who_keeps_theirs_on_schedule_has_it_planned(
    more: Sent, planned: list[str], typed: Sent, alice: Member, signed_in: Browser
) -> None:
    client = signed_in(alice)
    page = client.post(SCHEDULE, typed | more)
    assert page.status_code == 409
    assert "Keep yours and schedule it" in page.content.decode()
    assert texts_planned() == []
    address, fields = kept(page)
    assert address == SCHEDULE
    assert client.post(address, fields).status_code == 302
    assert texts_planned() == planned
    assert Recurrence.objects.exists() is bool(more)


@pytest.mark.usefixtures("saved_by_bob")
def test_who_keeps_theirs_on_publish_now_has_it_published(
    typed: Sent, alice: Member, signed_in: Browser, clock: Clock
) -> None:
    client = signed_in(alice)
    page = client.post(PUBLISH, typed)
    assert "Keep yours and publish it now" in page.content.decode()
    address, fields = kept(page)
    assert address == PUBLISH
    client.post(address, fields)
    delivery = Delivery.objects.get()
    assert (delivery.due_at, delivery.variant.document.text) == (clock.moment, 'Alice & "linen"')


@pytest.mark.usefixtures("saved_by_bob")
@pytest.mark.parametrize("asked", [SAVE, f"{HERE}/posts/both/"])
def test_who_keeps_theirs_on_save_has_it_saved_and_nothing_planned(
    asked: str, typed: Sent, post: Post, alice: Member, signed_in: Browser
) -> None:
    client = signed_in(alice)
    address, fields = kept(client.post(asked, typed))
    assert address == SAVE
    assert client.post(address, fields).headers["Location"] == f"{HERE}/posts/{post.pk}/"
    post.refresh_from_db()
    assert post.document.text == 'Alice & "linen"'
    assert texts_planned() == []


@pytest.mark.usefixtures("in_the_bin")
@pytest.mark.parametrize("asked", [SAVE, SCHEDULE, PUBLISH])
def test_a_post_in_the_bin_shows_what_was_typed_and_the_way_out(
    asked: str, typed: Sent, post: Post, alice: Member, signed_in: Browser
) -> None:
    client = signed_in(alice)
    page = client.post(asked, typed)
    shown = page.content.decode()
    assert page.status_code == 409
    assert "This post is in the bin: take it out" in shown
    assert "Alice &amp; &quot;linen&quot;</textarea>" in shown
    assert f'formaction="{HERE}/posts/take-out/"' in shown
    post.refresh_from_db()
    assert (post.document.text, post.removed_at is None) == ("Before", False)

    page = client.post(f"{HERE}/posts/take-out/", typed)
    shown = page.content.decode()
    assert page.status_code == 200
    assert "Alice &amp; &quot;linen&quot;</textarea>" in shown
    assert "This post is in the bin" not in shown
    assert client.post(asked, typed).status_code == 302
    post.refresh_from_db()
    assert (post.document.text, post.removed_at) == ('Alice & "linen"', None)
    assert len(texts_planned()) == (asked != SAVE)


@pytest.mark.usefixtures("in_the_bin")
def test_a_draft_that_keeps_itself_says_that_it_is_in_the_bin(
    typed: Sent, post: Post, alice: Member, signed_in: Browser
) -> None:
    side = signed_in(alice).post(f"{HERE}/posts/check/", typed, headers={"HX-Request": "true"})
    assert side.status_code == 200
    assert "What you type is no longer kept." in side.content.decode()
    post.refresh_from_db()
    assert post.document.text == "Before"


@pytest.mark.usefixtures("in_the_bin")
def test_nobody_takes_the_post_of_strangers_out_of_the_bin(
    typed: Sent, post: Post, charlie: Member, seat: Callable[..., Member], signed_in: Browser
) -> None:
    assert signed_in(charlie).post(f"{HERE}/posts/take-out/", typed).status_code == 404
    assert signed_in(seat("dora", "analyst")).post(f"{HERE}/posts/take-out/", typed).status_code == 403
    post.refresh_from_db()
    assert post.removed_at is not None
