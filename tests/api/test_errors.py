"""Every error has one shape, and a sentence in the program's language."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from regie.people.models import Member
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.api.conftest import Program
    from tests.conftest import Clock

TEXT = {"parts": [{"text": "Good morning"}]}


def test_errors_speak_the_language_that_the_program_asks_for(nobody: Program, db: None) -> None:
    assert "jeton" in nobody.get("/me", **{"Accept-Language": "fr"})[1]["said"]
    assert "token" in nobody.get("/me", **{"Accept-Language": "en"})[1]["said"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/posts", None),
        ("/posts", {"content": {"parts": []}}),
        ("/posts", {"content": TEXT, "contents": 1}),
        ("/posts", {"content": {"parts": [{"text": "nul \u0000 inside"}]}}),
        ("/posts", {"content": TEXT, "on": [{"account": 0}]}),
        ("/posts", {"content": TEXT, "on": [{"account": 10**30}]}),
        ("/freeze", {"why": ""}),
        ("/freeze", {"why": "nul \u0000 inside"}),
    ],
)
def test_what_cannot_be_understood_is_refused_and_changes_nothing(
    path: str, body: Any, program: Callable[..., Program], bob: Member
) -> None:
    status, said = program(bob).post(path, body)
    assert (status, set(said)) == (422, {"error", "said", "details"})
    assert program(bob).get("/posts")[1]["items"] == []


@pytest.mark.parametrize("local_at", ["2030-03-01T10:15:00Z", "0001-01-01T00:00", "9999-12-31T23:59", "tomorrow", ""])
def test_a_time_is_what_a_clock_on_the_wall_shows(
    local_at: str, program: Callable[..., Program], bob: Member, post: Post
) -> None:
    assert program(bob).post(f"/posts/{post.pk}/schedule", {"local_at": local_at})[0] == 422


def test_an_unknown_zone_and_a_past_time_are_refused_with_a_sentence(
    clock: Clock, program: Callable[..., Program], bob: Member, post: Post
) -> None:
    website = program(bob)
    where = f"/posts/{post.pk}/schedule"
    assert website.post(where, {"local_at": "2030-03-01T12:00", "zone": "Mars/Olympus"})[0] == 422
    status, said = website.post(where, {"local_at": "2030-03-01T09:00"})
    assert (status, said["error"]) == (422, "problem")
    assert "passed" in said["said"]


def test_broken_json_is_told(program: Callable[..., Program], bob: Member) -> None:
    from django.test import Client

    headers = {"Authorization": f"Bearer {program(bob).secret}"}
    answer = Client().post("/api/v1/posts", "{", content_type="application/json", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid"


def test_an_address_that_is_not_there_is_told_in_the_same_shape(nobody: Program, db: None) -> None:
    status, said = nobody.get("/nothing/here")
    assert (status, said["error"]) == (404, "not_found")
    assert nobody.post("/nothing")[0] == 404


def test_a_file_that_is_no_picture_is_refused(program: Callable[..., Program], bob: Member) -> None:
    from io import BytesIO

    file = BytesIO(b"not a picture")
    file.name = "holiday.jpg"
    status, said = program(bob).upload(file)
    assert (status, said["error"]) == (422, "problem")


def test_what_was_sent_is_not_repeated_in_the_error(program: Callable[..., Program], bob: Member) -> None:
    said = program(bob).post("/posts", {"content": TEXT, "password": "hunter2"})[1]
    assert "hunter2" not in str(said)
    assert "password" in str(said)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_a_503_that_says_when_to_come_back(
    program: Callable[..., Program], bob: Member
) -> None:
    from django.db import connections

    website = program(bob)
    there = connections["default"].settings_dict["NAME"]
    connection.close()
    connections["default"].settings_dict["NAME"] = "nowhere"
    try:
        answer = website.ask("GET", "/me")
    finally:
        connection.close()
        connections["default"].settings_dict["NAME"] = there
    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"
    assert json.loads(answer.content)["error"] == "database_away"


def test_a_wrong_method_is_told_which_ones_are_right(program: Callable[..., Program], alice: Member) -> None:
    answer = program(alice).ask("DELETE", "/me")
    assert (answer.status_code, answer["Allow"]) == (405, "GET")
    assert json.loads(answer.content) == {
        "error": "method_not_allowed",
        "said": "This address does not take DELETE, only GET.",
        "details": None,
    }


def test_a_fault_of_ours_is_json_too_and_reaches_the_log(
    program: Callable[..., Program], alice: Member, caplog: pytest.LogCaptureFixture
) -> None:
    client = program(alice)
    with connection.cursor() as cursor:  # as if an upgrade had been cut short
        cursor.execute("ALTER TABLE studio_post RENAME TO elsewhere")
    status, said = client.get("/posts")
    assert (status, said["error"], said["details"]) == (500, "fault", None)
    assert "GET /api/v1/posts failed." in caplog.text
    assert "elsewhere" not in said["said"]
