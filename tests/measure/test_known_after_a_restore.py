"""What may have gone out after the backup that was restored: its words are on the account, and people are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.core.times import WallTime
from regie.measure import known
from regie.measure.models import MadeElsewhere, Round
from regie.people.models import Member
from regie.publishing import services
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock

pytestmark = pytest.mark.django_db
HERE = "/w/atelier-nord"


@pytest.fixture
def planned(clock: Clock, make_account: Callable[..., Account], write_post: Callable[..., Post], bob: Member) -> Post:
    """For the evening; after the backup somebody sent it at once."""
    account = make_account()
    post = write_post("Open until six", on=[account])
    services.schedule(post=post, at=WallTime.at(clock.at("18:00"), "Europe/Paris"), by=bob)
    MadeElsewhere.objects.create(
        workspace=account.workspace,
        account=account,
        remote_id="7",
        text="Open  until six",
        published_at=clock.moment + timedelta(minutes=20),
    )
    return post


def test_who_lifts_the_freeze_is_told_of_what_is_on_the_account(
    clock: Clock, planned: Post, alice: Member, signed_in: Callable[[Member], Client]
) -> None:
    backed_up_at = clock.moment
    clock.advance(hours=1)
    frozen = services.start_frozen_after_restore(backed_up_at=backed_up_at)
    page = signed_in(alice).get(f"{HERE}/freezes/{frozen.pk}/").text
    assert "A post with these words is on" in page


def test_who_plans_a_draft_is_told_of_what_is_on_the_account(
    clock: Clock, planned: Post, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    browser = signed_in(bob)
    assert "A post with these words" not in browser.get(f"{HERE}/posts/{planned.pk}/edit/").text
    clock.advance(hours=1)
    services.start_frozen_after_restore(backed_up_at=clock.moment - timedelta(hours=1))
    assert "A post with these words is on" in browser.get(f"{HERE}/posts/{planned.pk}/edit/").text
    clock.advance(days=31)
    assert "A post with these words" not in browser.get(f"{HERE}/posts/{planned.pk}/edit/").text


def test_the_accounts_posts_are_read_at_once(clock: Clock, make_account: Callable[..., Account]) -> None:
    Round.objects.create(account=make_account(), history_at=clock.moment + timedelta(hours=20))
    known.read_all_soon()
    assert Round.objects.get().history_at == clock.moment
