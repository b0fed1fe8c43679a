"""One browser, several workspaces: what an address says is what one sees."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import get_script_prefix, reverse
from django.utils import translation

from regie.people.models import Member, User
from regie.people.services import create_workspace


@pytest.fixture
def second(alice: Member) -> Member:
    """Alice's other client."""
    return create_workspace(name="Salle Sud", zone="Europe/Paris", language="fr", by=alice.user)


def test_two_tabs_stand_in_two_workspaces(alice: Member, second: Member, signed_in: Callable[[Member], Client]) -> None:
    client = signed_in(alice)
    for slug, name in (("atelier-nord", "Atelier Nord"), ("salle-sud", "Salle Sud"), ("atelier-nord", "Atelier Nord")):
        page = client.get(f"/w/{slug}/settings/")
        assert page.context["scope"].label == name
        assert f'action="/w/{slug}/settings/invite/"' in page.text
        assert page.context["invite_form"] is not None


def test_all_my_clients_shows_each_and_changes_none(
    alice: Member, second: Member, charlie: Member, signed_in: Callable[[Member], Client]
) -> None:
    client = signed_in(alice)
    page = client.get("/w/all/settings/")
    assert {str(one["seat"].workspace) for one in page.context["seats"]} == {"Atelier Nord", "Salle Sud"}
    assert "Vélo Club" not in page.text
    assert client.post("/w/all/settings/invite/", {"email": "d@example.org", "role": "guest"}).status_code == 404


def test_a_bare_address_means_all_clients_or_the_only_one(alice: Member, signed_in: Callable[[Member], Client]) -> None:
    client = signed_in(alice)
    assert client.get("/").context["scope"].label == "Atelier Nord"
    create_workspace(name="Salle Sud", zone="UTC", language="en", by=alice.user)
    assert client.get("/").context["scope"].all


def test_a_workspace_that_does_not_exist_is_like_one_of_others(
    alice: Member, charlie: Member, signed_in: Callable[[Member], Client]
) -> None:
    client = signed_in(alice)
    for slug in ("velo-club", "nowhere"):
        answer = client.get(f"/w/{slug}/")
        assert answer.status_code == 404
        assert "Vélo" not in answer.text


def test_the_prefix_does_not_outlive_its_request(alice: Member, signed_in: Callable[[Member], Client]) -> None:
    client = signed_in(alice)
    for path in ("/w/atelier-nord/", "/w/nowhere/", "/w/atelier-nord/accounts/999/"):
        client.get(path)
        assert get_script_prefix() == "/"
        assert reverse("web:notices") == "/notices/"
    assert "/w/" not in Client().get("/account/login/").text


@pytest.mark.django_db(transaction=True)
def test_the_prefix_does_not_cross_threads(
    alice: Member, second: Member, signed_in: Callable[[Member], Client]
) -> None:
    def look(slug: str) -> bool:
        try:
            page = signed_in(alice).get(f"/w/{slug}/settings/").text
        finally:
            connection.close()
        other = {"atelier-nord": "salle-sud", "salle-sud": "atelier-nord"}[slug]
        return f"/w/{slug}/settings/invite/" in page and f"/w/{other}/settings/invite/" not in page

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(look, ["atelier-nord", "salle-sud"] * 4))


def test_a_person_reads_in_their_language_and_zone(alice: Member, signed_in: Callable[[Member], Client]) -> None:
    User.objects.filter(pk=alice.user.pk).update(language="fr", zone="Asia/Tokyo")
    page = signed_in(alice).get("/w/atelier-nord/")
    assert '<html lang="fr"' in page.text
    assert "Réglages" in page.text
    assert str(page.wsgi_request.LANGUAGE_CODE) == "fr"


def test_the_language_switch_is_kept_with_the_person(alice: Member, signed_in: Callable[[Member], Client]) -> None:
    client = signed_in(alice)
    answer = client.post("/i18n/setlang/", {"language": "fr", "next": "/w/atelier-nord/"})
    assert answer.headers["Location"] == "/w/atelier-nord/"
    assert User.objects.get(pk=alice.user.pk).language == "fr"
    assert client.cookies["django_language"].value == "fr"
    client.post("/i18n/setlang/", {"language": "xx", "next": "/"})
    assert User.objects.get(pk=alice.user.pk).language == "fr"
    away = client.post("/i18n/setlang/", {"language": "en", "next": "https://evil.example/"})
    assert away.headers["Location"].startswith("/w/")
    translation.activate("en")


def test_a_stranger_keeps_the_language_in_the_browser(alice: Member, browser: Client) -> None:
    browser.post("/i18n/setlang/", {"language": "fr", "next": "/account/login/"})
    assert '<html lang="fr"' in browser.get("/account/login/").text
    translation.activate("en")


def test_what_a_person_sets_is_kept(alice: Member, signed_in: Callable[[Member], Client]) -> None:
    client = signed_in(alice)
    chosen = {"name": "Alice R.", "language": "fr", "zone": "Asia/Tokyo", "theme": "dark"}
    assert client.post("/w/atelier-nord/me/", chosen).status_code == 302
    page = client.get("/w/atelier-nord/me/")
    assert 'data-theme-choice="dark"' in page.text
    assert User.objects.values("name", "language", "zone", "theme").get(pk=alice.user.pk) == chosen
    assert client.post("/w/atelier-nord/me/", {**chosen, "zone": "Mars/Base"}).status_code == 422
    translation.activate("en")


def test_where_one_was_going_survives_the_sign_in(alice: Member, browser: Client) -> None:
    alice.user.set_password("une phrase assez longue")
    alice.user.save()
    there = browser.get("/w/atelier-nord/search/?q=a%26b").headers["Location"]
    answer = browser.post(there, {"login": "ALICE@example.org", "password": "une phrase assez longue"})
    assert answer.headers["Location"] == "/w/atelier-nord/search/?q=a%26b"
