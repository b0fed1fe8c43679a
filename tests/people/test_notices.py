"""People are told once, in the app and by e-mail, whatever happens to workers and mail servers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from regie.people import notices
from regie.people.models import Member, Notice
from regie.people.telling import mail_urgent

if TYPE_CHECKING:
    from tests.conftest import Clock

FACTS = {"account": "Atelier", "network": "Mastodon"}


def tell(*members: Member, key: str = "k", urgent: bool = True, **facts: str) -> None:
    notices.tell(
        [member.user for member in members],
        workspace=members[0].workspace,
        kind="account.broken",
        key=key,
        facts={**FACTS, **facts},
        path="accounts/",
        urgent=urgent,
    )


def test_each_thing_is_told_once(alice: Member, bob: Member) -> None:
    for _ in range(3):
        tell(alice, bob)
    assert Notice.objects.count() == 2


def test_what_is_urgent_is_mailed_once_in_ones_language(alice: Member, bob: Member, mailoutbox: list[Any]) -> None:
    bob.user.language = "fr"
    bob.user.save()
    tell(alice, bob)
    tell(alice, key="calm", urgent=False)
    assert mail_urgent() == 2
    assert mail_urgent() == 0
    subjects = {message.to[0]: message.subject for message in mailoutbox}
    assert "has to be connected again" in subjects["alice@example.org"]
    assert "doit être reconnecté" in subjects["bob@example.org"]
    assert "http://testserver/w/atelier-nord/accounts/" in mailoutbox[0].body


def test_several_things_come_in_one_message(alice: Member, mailoutbox: list[Any]) -> None:
    tell(alice, key="1")
    tell(alice, key="2")
    mail_urgent()
    (message,) = mailoutbox
    assert message.subject == "2 things need you"


def test_a_name_with_a_line_break_stops_nobodys_mail(alice: Member, bob: Member, mailoutbox: list[Any]) -> None:
    tell(alice, account="Two\nlines")
    tell(bob)
    mail_urgent()
    assert {message.to[0] for message in mailoutbox} == {"alice@example.org", "bob@example.org"}


def test_what_was_read_already_is_not_mailed(
    alice: Member, mailoutbox: list[Any], signed_in: Callable[[Member], Client]
) -> None:
    tell(alice)
    signed_in(alice).post("/w/atelier-nord/notices/read/")
    assert mail_urgent() == 0
    assert mailoutbox == []


def test_while_the_mail_server_is_down_it_waits(alice: Member, settings: Any) -> None:
    tell(alice)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 9, 2
    mail_urgent()
    assert Notice.objects.get().emailed_at is None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail_urgent()
    assert len(mail.outbox) == 1


def test_old_news_is_not_mailed_after_a_long_outage(clock: Clock, alice: Member, mailoutbox: list[Any]) -> None:
    tell(alice)
    clock.advance(days=3)
    assert mail_urgent() == 0
    assert Notice.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_mail_once(alice: Member, bob: Member, mailoutbox: list[Any]) -> None:
    tell(alice, bob)
    together = Barrier(2)

    def work(_: int) -> int:
        together.wait()
        try:
            return mail_urgent()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(work, range(2))) == 2
    assert len(mailoutbox) == 2


def test_a_notice_leads_to_where_it_is_acted_on(
    alice: Member, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    tell(alice)
    notice, client = Notice.objects.get(), signed_in(alice)
    assert "Notices: 1 new" in client.get("/w/atelier-nord/notices/").text
    answer = client.post(f"/w/atelier-nord/notices/{notice.pk}/")
    assert answer.headers["Location"] == "/w/atelier-nord/accounts/"
    assert "Notices: 0 new" in client.get("/w/atelier-nord/notices/").text
    assert signed_in(bob).post(f"/w/atelier-nord/notices/{notice.pk}/").status_code == 404


def test_two_hundred_notices_are_paged(alice: Member, signed_in: Callable[[Member], Client]) -> None:
    for number in range(200):
        tell(alice, key=str(number))
    page = signed_in(alice).get("/w/atelier-nord/notices/?page=2")
    assert len(page.context["rows"]) == 30
    assert page.context["notices_count"] == 200
