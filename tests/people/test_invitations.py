"""Seats are offered by e-mail and taken by the person they were offered to, once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.test import Client

from regie.people.errors import AlreadyHere, ForSomebodyElse, InvitationOver
from regie.people.models import AuditEntry, Invitation, Member, User
from regie.people.permissions import Role
from regie.people.services import accept, invite, open_invitation, withdraw

if TYPE_CHECKING:
    from tests.conftest import Clock

PASSWORD = "une phrase assez longue"


def link_in(mail: EmailMessage) -> str:
    found = re.search(r"http://testserver(/join/\S+/)", str(mail.body))
    assert found
    return found[1]


def token_in(mail: EmailMessage) -> str:
    return link_in(mail).split("/")[2]


def test_an_invitation_arrives_by_e_mail_and_only_its_hash_is_kept(alice: Member, mailoutbox: list[Any]) -> None:
    invitation = invite(email="Dora@Example.org", role=Role.EDITOR, by=alice)
    (mail,) = mailoutbox
    assert mail.to == ["dora@example.org"]
    assert "Atelier Nord" in mail.subject
    assert "Alice" in mail.subject
    token = token_in(mail)
    assert token not in str(Invitation.objects.values().get())
    assert open_invitation(token) == invitation


def test_it_is_written_in_the_language_of_the_workspace(alice: Member, mailoutbox: list[Any]) -> None:
    alice.workspace.language = "fr"
    alice.workspace.save()
    invite(email="dora@example.org", role=Role.EDITOR, by=alice)
    assert "vous invite" in mailoutbox[0].body


def test_a_new_person_takes_the_seat_with_a_name_and_a_password(
    alice: Member, browser: Client, mailoutbox: list[Any]
) -> None:
    invite(email="dora@example.org", role=Role.EDITOR, by=alice)
    link = link_in(mailoutbox[0])
    page = browser.get(link)
    assert "dora@example.org" in page.text
    answer = browser.post(link, {"name": "Dora", "password": PASSWORD})
    assert answer.headers["Location"] == "/w/atelier-nord/"
    assert browser.get("/w/atelier-nord/").status_code == 200
    dora = Member.objects.get(user__email="dora@example.org")
    assert (dora.role, dora.user.name, dora.user.zone) == ("editor", "Dora", "Europe/Paris")
    assert AuditEntry.objects.filter(did="member.joined", user=dora.user).count() == 1


def test_a_weak_password_is_said_and_the_seat_stays_open(alice: Member, browser: Client, mailoutbox: list[Any]) -> None:
    invite(email="dora@example.org", role=Role.EDITOR, by=alice)
    answer = browser.post(link_in(mailoutbox[0]), {"name": "Dora", "password": "password1234"})
    assert answer.status_code == 422
    assert "password" in answer.context["form"].errors
    assert not User.objects.filter(email="dora@example.org").exists()
    assert Invitation.objects.get().accepted_at is None


def test_a_link_serves_once(alice: Member, browser: Client, mailoutbox: list[Any]) -> None:
    invite(email="dora@example.org", role=Role.EDITOR, by=alice)
    link = link_in(mailoutbox[0])
    browser.post(link, {"name": "Dora", "password": PASSWORD})
    again = Client().post(link, {"name": "Mallory", "password": PASSWORD})
    assert again.status_code == 410
    assert User.objects.count() == 2


def test_a_link_runs_out_after_a_week(clock: Clock, alice: Member, browser: Client, mailoutbox: list[Any]) -> None:
    invite(email="dora@example.org", role=Role.EDITOR, by=alice)
    clock.advance(days=7, seconds=1)
    answer = browser.get(link_in(mailoutbox[0]))
    assert answer.status_code == 410
    assert "Ask for a new one" in answer.text


def test_a_withdrawn_invitation_no_longer_opens(alice: Member, mailoutbox: list[Any]) -> None:
    withdraw(invitation=invite(email="dora@example.org", role=Role.EDITOR, by=alice), by=alice)
    with pytest.raises(InvitationOver):
        open_invitation(token_in(mailoutbox[0]))


def test_a_new_invitation_replaces_the_open_one(alice: Member, mailoutbox: list[Any]) -> None:
    invite(email="dora@example.org", role=Role.EDITOR, by=alice)
    invite(email="DORA@example.org", role=Role.ANALYST, by=alice)
    with pytest.raises(InvitationOver):
        open_invitation(token_in(mailoutbox[0]))
    assert open_invitation(token_in(mailoutbox[1])).role == "analyst"


def test_somebody_who_has_a_seat_is_not_invited_again(alice: Member, bob: Member, mailoutbox: list[Any]) -> None:
    with pytest.raises(AlreadyHere, match="already has a seat"):
        invite(email="BOB@example.org", role=Role.ANALYST, by=alice)
    assert mailoutbox == []


def test_a_known_person_signs_in_first(
    alice: Member, charlie: Member, browser: Client, mailoutbox: list[Any], signed_in: Callable[[Member], Client]
) -> None:
    invite(email="charlie@example.org", role=Role.ANALYST, by=alice)
    link = link_in(mailoutbox[0])
    assert browser.get(link).headers["Location"] == f"/account/login/?next={link}"
    assert browser.post(link, {"name": "Mallory", "password": PASSWORD}).status_code == 302
    assert alice.workspace.members.count() == 1

    answer = signed_in(charlie).post(link)
    assert answer.headers["Location"] == "/w/atelier-nord/"
    assert alice.workspace.members.get(user=charlie.user).role == "analyst"


def test_somebody_else_who_is_signed_in_is_told_and_gets_no_seat(
    alice: Member, charlie: Member, mailoutbox: list[Any], signed_in: Callable[[Member], Client]
) -> None:
    invite(email="dora@example.org", role=Role.MANAGER, by=alice)
    link, client = link_in(mailoutbox[0]), signed_in(charlie)
    for answer in (client.get(link), client.post(link)):
        assert answer.status_code == 403
        assert "dora@example.org" in answer.text
        assert "Charlie" in answer.text
    with pytest.raises(ForSomebodyElse):
        accept(token=token_in(mailoutbox[0]), user=charlie.user)
    assert alice.workspace.members.count() == 1

    signed_out = client.post(f"/account/logout/?next={link}", {"next": link})
    assert signed_out.headers["Location"] == link
    assert "name" in client.get(link).context["form"].fields


def test_an_address_that_the_person_proved_to_have_counts_too(
    alice: Member, charlie: Member, mailoutbox: list[Any], signed_in: Callable[[Member], Client]
) -> None:
    EmailAddress.objects.create(user=charlie.user, email="charlie@velo.example", verified=True)
    invite(email="charlie@velo.example", role=Role.EDITOR, by=alice)
    assert signed_in(charlie).post(link_in(mailoutbox[0])).status_code == 302
    assert alice.workspace.members.filter(user=charlie.user).exists()


def test_without_a_mail_server_the_manager_is_told_and_the_invitation_is_there(
    alice: Member, signed_in: Callable[[Member], Client], settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 2
    answer = signed_in(alice).post(
        "/w/atelier-nord/settings/invite/", {"email": "dora@example.org", "role": "editor"}, follow=True
    )
    assert "could not be sent" in answer.text
    assert Invitation.objects.get().email == "dora@example.org"


def test_a_wrong_address_is_said(alice: Member, signed_in: Callable[[Member], Client]) -> None:
    answer = signed_in(alice).post("/w/atelier-nord/settings/invite/", {"email": "dora", "role": "editor"}, follow=True)
    assert "valid email" in answer.text
    assert not Invitation.objects.exists()
