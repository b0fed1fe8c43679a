"""The first person to come becomes the owner; everybody after that comes by invitation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test import Client

from regie.people.errors import NotAllowed
from regie.people.models import AuditEntry, Member, User, Workspace
from regie.people.services import create_first_owner

FORM = {
    "name": "Alice",
    "email": "Alice@Example.org",
    "password": "une phrase assez longue",
    "workspace": "Atelier Nord",
    "zone": "Europe/Paris",
    "language": "fr",
}


@pytest.mark.django_db
def test_the_sign_in_page_of_an_empty_installation_leads_to_the_welcome_page(browser: Client) -> None:
    assert browser.get("/").headers["Location"].startswith("/account/login/")
    assert browser.get("/account/login/").headers["Location"] == "/welcome/"


@pytest.mark.django_db
def test_the_first_person_owns_a_workspace_and_is_signed_in(browser: Client) -> None:
    answer = browser.post("/welcome/", FORM)
    assert answer.headers["Location"] == "/w/atelier-nord/"
    assert browser.get("/w/atelier-nord/").status_code == 200
    alice = User.objects.get()
    assert (alice.email, alice.is_operator, alice.language) == ("alice@example.org", True, "fr")
    assert EmailAddress.objects.get(user=alice, verified=True, primary=True).email == alice.email
    assert Member.objects.get().role == "owner"
    assert AuditEntry.objects.get().did == "workspace.created"


@pytest.mark.django_db
def test_the_welcome_page_works_once(browser: Client) -> None:
    browser.post("/welcome/", FORM)
    late = Client()
    assert late.get("/welcome/").headers["Location"] == "/account/login/"
    answer = late.post("/welcome/", {**FORM, "email": "mallory@example.org"})
    assert answer.headers["Location"] == "/account/login/"
    assert User.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["alice@example.org", "password1234", "court"])
def test_a_weak_password_is_said_beside_its_field(browser: Client, password: str) -> None:
    answer = browser.post("/welcome/", {**FORM, "password": password})
    assert answer.status_code == 422
    assert "password" in answer.context["form"].errors
    assert not User.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_browsers_at_a_first_start_one_wins() -> None:
    together = Barrier(2)

    def come(name: str) -> str:
        together.wait()
        try:
            create_first_owner(
                email=f"{name}@example.org",
                name=name,
                password="une phrase assez longue",
                workspace=name,
                zone="UTC",
                language="en",
            )
        except NotAllowed:
            return "late"
        finally:
            connection.close()
        return "first"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(come, ["alice", "mallory"])) == ["first", "late"]
    assert (User.objects.count(), Workspace.objects.count()) == (1, 1)
