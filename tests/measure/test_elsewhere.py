"""An account's posts that we did not publish: read back on connection, and once a day."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from regie.accounts.models import Account
from regie.core.threads import in_thread
from regie.measure import elsewhere
from regie.measure.models import MadeElsewhere, Round
from regie.measure.services import plan_what_is_new
from regie.networks.data import Listing, Seen
from regie.people.scope import Scope
from regie.planner import queries
from regie.publishing.models import Delivery, Step

if TYPE_CHECKING:
    from django.test import Client

    from regie.people.models import Member
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Publish = Callable[..., Delivery]
Read = Callable[[], list[str]]


@pytest.fixture
def read() -> Read:
    """What the minute's sweep does, and the texts that are known afterwards, oldest first."""

    async def everything() -> None:
        await in_thread(plan_what_is_new)
        for account_id in await in_thread(elsewhere.due):
            await elsewhere.read(account_id)

    def now() -> list[str]:
        asyncio.run(everything())
        return list(elsewhere.not_ours().filter(gone_at=None).order_by("published_at").values_list("text", flat=True))

    return now


def test_what_was_there_before_is_known_after_connecting_and_read_twice_changes_nothing(
    clock: Clock, mastodon: Sandbox, connect: Callable[..., Account], read: Read
) -> None:
    mastodon.network.ready_account()
    clock.advance(days=-100)
    mastodon.say(by="regie", text="Too long ago")
    clock.advance(days=40)
    mastodon.say(by="regie", text="Before we met")
    clock.advance(days=60)
    connect(mastodon)
    assert read() == ["Before we met"]
    (row,) = MadeElsewhere.objects.all()
    assert (row.published_at, row.url != "") == (clock.moment - timedelta(days=60), True)
    assert read() == ["Before we met"]  # not before tomorrow
    mastodon.say(by="regie", text="From the app")
    Round.objects.update(history_at=clock.moment)
    assert read() == ["Before we met", "From the app"]
    clock.advance(days=1)
    assert read() == ["Before we met", "From the app"]
    assert MadeElsewhere.objects.count() == 2


@pytest.mark.parametrize("network", ["mastodon", "bluesky", "linkedin", "facebook"])
def test_what_we_published_is_not_among_them(
    network: str, clock: Clock, request: pytest.FixtureRequest, published: Publish, read: Read
) -> None:
    request.getfixturevalue(network)
    delivery = published("Open today", request.getfixturevalue(f"{network}_account"))
    assert read() == []
    Step.objects.update(remote_id="another")  # and what is ours is known by its id alone
    Delivery.objects.update(remote_id="another")
    clock.advance(days=1)
    assert read() == ["Open today"]
    assert MadeElsewhere.objects.get().remote_id == delivery.remote_id


def test_a_doubt_that_was_settled_since_takes_its_post_back(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, published: Publish, read: Read
) -> None:
    delivery = published("Open today", mastodon_account)
    mine = delivery.remote_id
    Step.objects.update(remote_id="another")
    Delivery.objects.update(remote_id="another")
    assert read() == ["Open today"]
    Delivery.objects.update(remote_id=mine)
    assert read() == []


def test_what_is_no_longer_there_is_gone_and_its_numbers_stay(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, read: Read
) -> None:
    post = mastodon.say(by="regie", text="From the app")
    mastodon.like(by="ana", post_id=post)
    assert read() == ["From the app"]
    row = MadeElsewhere.objects.get()
    assert (row.latest["likes"][0], row.reactions) == (1, 1)
    mastodon.itself.remove(mastodon.itself.state.statuses[post])
    clock.advance(days=1)
    assert read() == []
    row.refresh_from_db()
    assert (row.gone_at, row.reactions) == (clock.moment, 1)


def test_a_network_that_does_not_tell_is_asked_again_tomorrow_and_the_page_says_why(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    read: Read,
    alice: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    mastodon.say(by="regie", text="From the app")
    mastodon.will_answer(403, path="statuses", body={"error": "This action is outside the authorized scopes"})
    assert read() == []
    page = signed_in(alice).get(f"/w/atelier-nord/numbers/accounts/{mastodon_account.pk}/").content.decode()
    assert "could not be read" in page
    clock.advance(days=1)
    assert read() == ["From the app"]
    page = signed_in(alice).get(f"/w/atelier-nord/numbers/accounts/{mastodon_account.pk}/").content.decode()
    assert "From the app" in page
    assert "could not be read" not in page


def test_a_sign_in_that_cannot_be_opened_is_tried_again_tomorrow_and_not_every_minute(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, read: Read
) -> None:
    mastodon.say(by="regie", text="From the app")
    sealed = bytes(mastodon_account.sealed_credentials)
    Account.objects.update(sealed_credentials=b"not what we sealed")
    assert read() == []
    assert elsewhere.due() == []
    Account.objects.update(sealed_credentials=sealed)
    clock.advance(days=1)
    assert read() == ["From the app"]


def test_only_addresses_of_the_web_are_kept(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, read: Read
) -> None:
    mastodon.say(by="regie", text="From the app")
    read()
    row, turn = MadeElsewhere.objects.get(), Round.objects.select_related("account").get()
    seen = Seen(remote_id=row.remote_id, url="javascript:alert(1)", text=row.text, media=0, created_at=row.published_at)
    elsewhere.keep(turn, Listing(seen=(seen,), reaches_back_to=row.published_at), row.published_at)
    row.refresh_from_db()
    assert row.url == ""


def test_a_busy_network_is_asked_when_it_said(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, read: Read
) -> None:
    mastodon.say(by="regie", text="From the app")
    mastodon.will_answer(429, path="statuses", headers={"X-RateLimit-Reset": "2030-03-01T09:20:00Z"})
    assert read() == []
    clock.advance(minutes=10)
    assert read() == []
    clock.advance(minutes=11)
    assert read() == ["From the app"]


def test_the_calendar_shows_them_quietly_and_hides_them_when_narrowed(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    read: Read,
    alice: Member,
    charlie: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    mastodon.say(by="regie", text="From the <app>")
    read()

    def seen(member: Member, state: str = "") -> list[str]:
        day = clock.moment.date()
        found = queries.entries(Scope.for_member(member), since=day, until=day, zone="Europe/Paris", state=state)
        return [entry.text for entry in found]

    assert seen(alice) == seen(alice, queries.ELSEWHERE) == ["From the <app>"]
    assert seen(alice, "published") == seen(alice, "open") == seen(charlie) == []
    for view in ("month", "week", "list"):
        page = signed_in(alice).get(f"/w/atelier-nord/calendar/?view={view}&on=2030-03-01").content.decode()
        assert "is-elsewhere" in page
        assert "From the &lt;app&gt;" in page
        assert MadeElsewhere.objects.get().url in page
        assert "data-movable" not in page
