"""A receipt tells each call to a network in its reader's language; what was written filled in is shown as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.people.models import Member
from regie.publishing.models import Attempt, Delivery
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
LOST = "Mastodon n’a pas répondu, et l’a peut-être accepté."


@pytest.fixture
def doubtful(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Callable[[], None],
) -> Delivery:
    """Its answer was lost, and then the network could not be asked about it."""
    mastodon.itself.keys_honoured = False
    mastodon_account.limits |= {"honours_key": False}
    mastodon_account.save()
    delivery = promise(post)
    mastodon.will_lose_answer(method="POST", path="statuses")
    publish_due()
    mastodon.will_answer(503, method="GET")
    clock.advance(minutes=1)
    publish_due()
    return delivery


def test_what_became_of_each_call_is_told_in_the_readers_language(
    doubtful: Delivery, alice: Member, signed_in: Callable[[Member], Client]
) -> None:
    sent, looked = Attempt.objects.order_by("number")[:2]
    assert (sent.kind, sent.said_facts) == ("commit", {"network": "Mastodon"})
    assert (looked.kind, looked.outcome) == ("look", "later")
    assert "{network}" in looked.said
    assert looked.said_facts is not None
    alice.user.language = "fr"
    alice.user.save()
    page = signed_in(alice).get(f"/w/atelier-nord/deliveries/{doubtful.pk}/").content.decode()
    assert LOST in page
    assert "did not answer" not in page
    assert "{network}" not in page


def test_what_was_written_before_is_shown_as_it_is(
    doubtful: Delivery, alice: Member, signed_in: Callable[[Member], Client]
) -> None:
    Attempt.objects.update(said="Mastodon did not answer, {as it} was written.", said_facts=None)
    page = signed_in(alice).get(f"/w/atelier-nord/deliveries/{doubtful.pk}/").content.decode()
    assert "Mastodon did not answer, {as it} was written." in page
