"""Tokens: shown once, bound to one seat, over when somebody says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from django.test import Client

from regie.api import services
from regie.api.models import ApiToken
from regie.people.models import AuditEntry, Member
from regie.people.permissions import Role

if TYPE_CHECKING:
    from tests.api.conftest import Program
    from tests.conftest import Clock

PAGE = "/w/atelier-nord/api/tokens/"


def secret_in(page: str) -> str:
    return next(iter(re.findall(r"regie_[\w-]{20,}", page)), "")


def test_a_token_is_shown_once_and_only_its_hash_is_kept(
    signed_in: Callable[[Member], Client], with_secret: type[Program], bob: Member
) -> None:
    browser = signed_in(bob)
    page = browser.post(PAGE, {"name": "Website", "lasts": "30"})
    secret = secret_in(page.content.decode())
    assert secret
    assert page["Cache-Control"] == "no-store"
    token = ApiToken.objects.get()
    assert token.token_hash != secret
    assert token.expires_at is not None
    again = browser.get(PAGE).content.decode()
    assert "Website" in again
    assert not secret_in(again)
    assert with_secret(secret).get("/me")[0] == 200


def test_a_token_without_a_name_is_asked_for_one(signed_in: Callable[[Member], Client], bob: Member) -> None:
    page = signed_in(bob).post(PAGE, {"name": "", "lasts": "30"})
    assert page.status_code == 422
    assert not ApiToken.objects.exists()


def test_making_and_revoking_are_in_the_audit_trail_without_the_secret(
    signed_in: Callable[[Member], Client], bob: Member
) -> None:
    browser = signed_in(bob)
    secret = secret_in(browser.post(PAGE, {"name": "Website", "lasts": ""}).content.decode())
    browser.post(f"{PAGE}{ApiToken.objects.get().pk}/revoke/")
    entries = AuditEntry.objects.filter(did__startswith="token.").order_by("pk")
    assert [(entry.did, entry.who, entry.label) for entry in entries] == [
        ("token.created", "Bob", "Website"),
        ("token.revoked", "Bob", "Website"),
    ]
    assert secret not in str([vars(entry) for entry in entries])


def test_a_token_tells_who_it_acts_as_and_what_the_role_allows(program: Callable[..., Program], bob: Member) -> None:
    status, me = program(bob).get("/me")
    assert status == 200
    assert (me["name"], me["role"], me["workspace"]["slug"]) == ("Bob", "editor", "atelier-nord")
    assert "write" in me["may"]
    assert "connect" not in me["may"]


def test_no_token_a_wrong_one_and_a_cookie_open_nothing(
    nobody: Program, with_secret: type[Program], signed_in: Callable[[Member], Client], alice: Member
) -> None:
    for program in (nobody, with_secret("regie_wrong"), with_secret("regie_é")):
        status, said = program.get("/me")
        assert (status, said["error"]) == (401, "token_needed")
    assert signed_in(alice).get("/api/v1/me").status_code == 401
    assert nobody.ask("GET", "/me")["WWW-Authenticate"] == "Bearer"
    assert nobody.ask("GET", "/me", Authorization="Basic Ym9iOmJvYg==").status_code == 401


def test_a_token_is_over_when_it_is_revoked(program: Callable[..., Program], bob: Member) -> None:
    website = program(bob)
    services.revoke_token(ApiToken.objects.get(), by=bob)
    assert website.get("/me")[0] == 401


def test_a_token_is_over_when_its_time_has_come(clock: Clock, program: Callable[..., Program], bob: Member) -> None:
    website = program(bob, expires_at=clock.moment + timedelta(days=1))
    assert website.get("/me")[0] == 200
    clock.advance(days=1)
    assert website.get("/me")[0] == 401


def test_a_token_goes_with_the_person_and_with_the_seat(
    program: Callable[..., Program], bob: Member, alice: Member
) -> None:
    website, other = program(bob), program(alice)
    bob.user.is_active = False
    bob.user.save()
    assert website.get("/me")[0] == 401
    alice.delete()
    assert other.get("/me")[0] == 401


def test_a_token_follows_the_role_of_its_member(program: Callable[..., Program], bob: Member) -> None:
    website = program(bob)
    post = {"content": {"parts": [{"text": "Hello"}]}}
    assert website.post("/posts", post)[0] == 201
    bob.role = Role.ANALYST
    bob.save()
    assert website.post("/posts", post)[0] == 403


def test_use_is_noted_to_the_minute(clock: Clock, program: Callable[..., Program], bob: Member) -> None:
    website = program(bob)
    website.get("/me")
    first = ApiToken.objects.get().last_used_at
    clock.advance(seconds=30)
    website.get("/me")
    assert ApiToken.objects.get().last_used_at == first == clock.moment - timedelta(seconds=30)
    clock.advance(seconds=31)
    website.get("/me")
    assert ApiToken.objects.get().last_used_at == clock.moment


def test_who_manages_people_sees_and_revokes_every_token_of_the_workspace(
    signed_in: Callable[[Member], Client], program: Callable[..., Program], alice: Member, bob: Member, charlie: Member
) -> None:
    website = program(bob)
    pk = ApiToken.objects.get().pk
    assert "Shop window" in signed_in(alice).get(PAGE).content.decode()
    assert signed_in(charlie).post(f"/w/velo-club/api/tokens/{pk}/revoke/").status_code == 404
    assert website.get("/me")[0] == 200
    assert signed_in(alice).post(f"{PAGE}{pk}/revoke/").status_code == 302
    assert website.get("/me")[0] == 401


def test_an_editor_neither_sees_nor_revokes_the_tokens_of_others(
    signed_in: Callable[[Member], Client], program: Callable[..., Program], alice: Member, bob: Member
) -> None:
    website = program(alice)
    browser = signed_in(bob)
    assert "Shop window" not in browser.get(PAGE).content.decode()
    assert browser.post(f"{PAGE}{ApiToken.objects.get().pk}/revoke/").status_code == 404
    assert website.get("/me")[0] == 200


def test_over_all_clients_one_is_chosen_before_a_token_is_made(
    signed_in: Callable[[Member], Client], bob: Member
) -> None:
    browser = signed_in(bob)
    assert "Choose one client" in browser.get("/w/all/api/tokens/").content.decode()
    browser.post("/w/all/api/tokens/", {"name": "Website", "lasts": ""})
    assert not ApiToken.objects.exists()


def test_the_page_is_for_people_who_are_signed_in(db: None) -> None:
    assert Client().get("/api/tokens/").status_code == 302


def test_the_page_speaks_french(signed_in: Callable[[Member], Client], bob: Member) -> None:
    bob.user.language = "fr"
    bob.user.save()
    page = signed_in(bob).get(PAGE).content.decode()
    assert "Jetons" in page
    assert "Make a token" not in page
