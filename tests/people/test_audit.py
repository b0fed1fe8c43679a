"""The audit trail tells what happened, with what happened, and cannot be rewritten."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from regie.people import audit
from regie.people.models import AuditEntry, Member
from regie.people.permissions import Role
from regie.people.services import change_role


@pytest.fixture
def entry(alice: Member, bob: Member) -> AuditEntry:
    change_role(member=bob, role=Role.ANALYST, by=alice)
    return AuditEntry.objects.get(did="member.role_changed")


def test_what_is_taken_back_leaves_no_trace(alice: Member, bob: Member) -> None:
    with transaction.atomic():
        change_role(member=bob, role=Role.ANALYST, by=alice)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()
    bob.refresh_from_db()
    assert bob.role == "editor"


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_a_mistake_in_the_code() -> None:
    with pytest.raises(RuntimeError, match="in the transaction"):
        audit.record(by=None, did="something")


def test_the_database_refuses_to_change_or_delete_an_entry(entry: AuditEntry) -> None:
    for tamper in (
        lambda: AuditEntry.objects.filter(pk=entry.pk).update(who="Somebody else"),
        lambda: AuditEntry.objects.filter(pk=entry.pk).update(user=None, did="nothing"),
        lambda: AuditEntry.objects.filter(pk=entry.pk).delete(),
    ):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            tamper()
    assert AuditEntry.objects.get(pk=entry.pk).who == "Alice"


def test_a_person_who_is_deleted_leaves_their_name_in_it(entry: AuditEntry, alice: Member) -> None:
    alice.user.delete()
    entry.refresh_from_db()
    assert (entry.user, entry.who) == (None, "Alice")


def test_it_is_read_in_words_and_searched(
    entry: AuditEntry, alice: Member, signed_in: Callable[[Member], Client]
) -> None:
    client = signed_in(alice)
    assert "changed the role of" in client.get("/w/atelier-nord/settings/audit/").text
    assert len(client.get("/w/atelier-nord/settings/audit/?q=bob").context["rows"]) == 1
    assert len(client.get("/w/atelier-nord/settings/audit/?q=nobody").context["rows"]) == 0


def test_every_act_has_words_in_every_language() -> None:
    from django.utils import translation

    for language in ("en", "fr"):
        with translation.override(language):
            assert all(str(words) and "." not in str(words) for words in audit._WORDS.values())
