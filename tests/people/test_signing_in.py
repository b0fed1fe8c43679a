"""Passwords, one-time codes, passkeys and addresses: what the sign-in library does, in our clothes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from regie.people.models import Member, User

PASSWORD = "une phrase assez longue"


@pytest.fixture
def person(alice: Member) -> User:
    alice.user.set_password(PASSWORD)
    alice.user.save()
    return alice.user


def sign_in(browser: Client, password: str = PASSWORD) -> Any:
    return browser.post("/account/login/", {"login": "Alice@Example.org", "password": password})


def test_the_right_password_signs_in_and_the_wrong_one_says_so(person: User, browser: Client) -> None:
    wrong = sign_in(browser, "guess-me-not")
    assert "_auth_user_id" not in browser.session
    assert "not correct" in wrong.text
    assert "guess-me-not" not in wrong.text
    assert sign_in(browser).headers["Location"] == "/"
    assert browser.get("/").status_code == 200


def test_an_unknown_address_is_answered_like_a_wrong_password(person: User, browser: Client) -> None:
    said = [
        browser.post("/account/login/", {"login": login, "password": "wrong"}).context["form"].non_field_errors()
        for login in ("alice@example.org", "nobody@example.org")
    ]
    assert said[0] == said[1]


def test_guessing_is_slowed_down(person: User, browser: Client) -> None:
    for _ in range(10):
        sign_in(browser, "guess")
    answer = sign_in(browser)
    assert "_auth_user_id" not in browser.session
    assert answer.status_code == 429 or "Too many" in answer.text


def test_nobody_signs_up_without_an_invitation(person: User, browser: Client) -> None:
    fields = {"email": "m@example.org", "password1": PASSWORD}
    assert 'name="password1"' not in browser.get("/account/signup/").text
    browser.post("/account/signup/", fields)
    browser.post("/account/2fa/signup/", fields)
    assert User.objects.count() == 1


def test_the_pages_are_french_for_who_reads_french(person: User, browser: Client) -> None:
    User.objects.update(language="fr")
    sign_in(browser)
    assert "mot de passe" in browser.get("/account/password/change/").text.lower()


def test_a_password_is_set_again_by_mail(person: User, browser: Client, mailoutbox: list[Any]) -> None:
    browser.post("/account/password/reset/", {"email": "ALICE@example.org"})
    (mail,) = mailoutbox
    assert mail.subject.startswith("Régie: ")
    found = re.search(r"http://testserver(/account/password/reset/key/\S+)", mail.body)
    assert found
    form = browser.get(found[1], follow=True)
    there = form.redirect_chain[-1][0]
    browser.post(there, {"password1": "une autre phrase longue", "password2": "une autre phrase longue"})
    assert sign_in(Client(), "une autre phrase longue").headers["Location"] == "/"
    assert browser.get(found[1], follow=True).context.get("token_fail")


def test_an_address_is_changed_by_proving_the_new_one(person: User, browser: Client, mailoutbox: list[Any]) -> None:
    sign_in(browser)
    browser.post("/account/email/", {"action_add": "", "email": "Alice.Roux@Example.org"})
    found = re.search(r"http://testserver(/account/confirm-email/\S+/)", mailoutbox[-1].body)
    assert found
    browser.post(found[1])
    browser.post("/account/email/", {"action_primary": "", "email": "alice.roux@example.org"})
    person.refresh_from_db()
    assert person.email == "alice.roux@example.org"
    assert EmailAddress.objects.get(user=person, primary=True).email == person.email


def test_an_address_of_somebody_else_is_not_taken(
    person: User, bob: Member, browser: Client, signed_in: Callable[[Member], Client]
) -> None:
    sign_in(browser)
    browser.post("/account/email/", {"action_add": "", "email": "BOB@example.org"})
    assert not EmailAddress.objects.filter(user=person, email__iexact="bob@example.org", verified=True).exists()
    assert User.objects.filter(email="bob@example.org").count() == 1
