"""The description of the API: as a page, as OpenAPI, and as the guide for those who write programs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.api.application import schema
from regie.api.docs import TITLES, subjects_of
from regie.people.models import Member

if TYPE_CHECKING:
    from tests.api.conftest import Program
    from tests.conftest import Sandbox

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def test_the_page_shows_every_operation_without_any_script_of_its_own(db: None) -> None:
    answer = Client().get("/api/v1/docs")
    page = answer.content.decode()
    assert answer.status_code == 200
    for path, methods in schema()["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in page
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert not re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(?!\s*\{)", page.replace('type="application/json"', ""))
    assert not re.findall(r'(?:src|href)="https?://', page)
    assert " style=" not in page


def test_the_page_is_in_the_language_of_who_is_signed_in(signed_in: Callable[[Member], Client], bob: Member) -> None:
    bob.user.language = "fr"
    bob.user.save()
    page = signed_in(bob).get("/w/atelier-nord/api/v1/docs").content.decode()
    assert "Lister les comptes" in page
    assert "/api/v1/posts" in page


def test_the_description_is_open_to_tools_and_the_same_for_everybody(
    signed_in: Callable[[Member], Client], bob: Member
) -> None:
    there = Client().get("/api/v1/openapi.json").json()
    assert there == signed_in(bob).get("/w/atelier-nord/api/v1/openapi.json").json()
    assert "/api/v1/posts/{pk}/schedule" in there["paths"]


def test_every_operation_has_a_summary_a_description_and_a_subject_with_a_title() -> None:
    shown = subjects_of(schema())
    assert {subject.name for subject in shown} == set(TITLES)
    for subject in shown:
        for operation in subject.operations:
            assert operation.summary
            assert operation.said
    names = [operation.id for subject in shown for operation in subject.operations]
    assert len(names) == len(set(names))


def test_what_is_taken_and_given_is_shown_down_to_the_parts_of_a_thread() -> None:
    shown = {operation.id: operation for subject in subjects_of(schema()) for operation in subject.operations}
    takes = {field.name: field for field in shown["posts_create"].takes}
    assert takes["content.parts[].text"].kind == "string"
    assert takes["content"].required
    assert takes["Idempotency-Key"].where == "header"
    assert "deliveries[].due_at" in {field.name for field in shown["posts_schedule"].gives}


def commands() -> list[list[str]]:
    """The curl commands of the guide, as words."""
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").split("\n")
    return [shlex.split(line) for line in lines if line.startswith("curl")]


def asked(words: list[str]) -> tuple[str, str, str | None, dict[str, str], dict[str, str]]:
    """Method, path, body, headers and form of a curl command."""
    method, body, headers, form, path = "", None, {}, {}, ""
    rest = iter(words[1:])
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, value = next(rest).split(": ", 1)
            headers[name] = value
        elif word in ("-d", "--data"):
            body = next(rest)
        elif word == "-F":
            name, value = next(rest).split("=", 1)
            form[name] = value
        elif not word.startswith("-"):
            path = word.replace("$REGIE/api/v1", "")
    return method or ("POST" if body or form else "GET"), path, body, headers, form


@pytest.mark.django_db(transaction=True)
def test_the_guide_can_be_followed_line_by_line(
    mastodon: Sandbox,
    account: Account,
    program: Callable[..., Program],
    alice: Member,
    picture: Callable[..., BytesIO],
    publish_due: Callable[[], None],
) -> None:
    website, answers = program(alice), {"ACCOUNT": account.pk}
    for words in commands():
        method, path, body, headers, form = asked(words)
        assert headers.pop("Authorization") == "Bearer $TOKEN"
        headers.pop("Content-Type", None)
        for name, value in answers.items():
            path, body = path.replace(f"${name}", str(value)), body.replace(f"${name}", str(value)) if body else None
        if form:
            assert form.pop("file").startswith("@")
            status, said = website.upload(picture(), **form)
            answers["FILE"] = said["id"]
        else:
            status, said = website.said(method, path, json.loads(body) if body else None, **headers)
        assert status in (200, 201), (words, status, said)
        if path == "/posts" and method == "POST":
            answers["POST"] = said["id"]
        if "deliveries" in said:
            answers["DELIVERY"] = said["deliveries"][0]["id"]
            answers.setdefault("PUBLISHED", answers["DELIVERY"])
            publish_due()
    assert mastodon.texts() == ["Our spring collection is here."]
