"""Who may do what through the API: one table of (method, path, verb), for every operation there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest

from regie.accounts.models import Account
from regie.api.application import schema
from regie.community.models import Conversation, Message
from regie.media import arriving
from regie.people.models import Member
from regie.people.permissions import Role, may
from regie.planner import recurring
from regie.planner.recurring import Pattern
from regie.publishing import services as publishing
from regie.publishing.models import Edit
from regie.studio import campaigns
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.api.conftest import Program
    from tests.conftest import Clock

pytestmark = pytest.mark.django_db

TEXT = {"content": {"parts": [{"text": "Good morning"}]}}
AGAIN = {"rule": "FREQ=DAILY", "first_on": "2031-01-01", "local_time": "10:00"}
LINK = {"link": "https://example.org/1"}
TABLE = {
    # operation                              verb          body
    ("GET", "/me"): ("view", None),
    ("GET", "/accounts"): ("view", None),
    ("GET", "/accounts/{account}"): ("view", None),
    ("GET", "/accounts/{account}/room"): ("view", None),
    ("GET", "/accounts/{account}/made-elsewhere"): ("view", None),
    ("GET", "/accounts/{account}/options/{name}/choices"): ("write", None),
    ("GET", "/media"): ("view", None),
    ("POST", "/media"): ("write", None),
    ("POST", "/uploads"): ("write", {"name": "wave.mp4", "size": 1000}),
    ("PUT", "/uploads/{upload}"): ("write", None),
    ("POST", "/uploads/{upload}/finish"): ("write", None),
    ("GET", "/posts"): ("view", None),
    ("POST", "/posts"): ("write", TEXT),
    ("GET", "/posts/{post}"): ("view", None),
    ("PATCH", "/posts/{post}"): ("write", {"version": 1}),
    ("POST", "/posts/{post}/check"): ("view", None),
    ("POST", "/posts/{post}/schedule"): ("schedule", {"local_at": "2031-01-01T10:00"}),
    ("POST", "/posts/{post}/publish"): ("publish", None),
    ("GET", "/campaigns"): ("view", None),
    ("POST", "/campaigns"): ("write", {"name": "Summer"}),
    ("PUT", "/campaigns/{campaign}"): ("write", {"name": "Spring 2030"}),
    ("POST", "/campaigns/{campaign}/archive"): ("write", None),
    ("POST", "/campaigns/{campaign}/put-back"): ("write", None),
    ("GET", "/recurrences"): ("view", None),
    ("POST", "/posts/{post}/repeat"): ("schedule", AGAIN),
    ("GET", "/recurrences/{recurrence}"): ("view", None),
    ("PATCH", "/recurrences/{recurrence}"): ("schedule", {"local_time": "11:00"}),
    ("POST", "/recurrences/{recurrence}/skip"): ("schedule", {"date": "2030-03-11"}),
    ("POST", "/recurrences/{recurrence}/take-in"): ("schedule", {"date": "2030-03-11"}),
    ("POST", "/recurrences/{recurrence}/own-text"): ("schedule", {"date": "2030-03-18"}),
    ("POST", "/recurrences/{recurrence}/stop"): ("schedule", None),
    ("GET", "/deliveries"): ("view", None),
    ("GET", "/deliveries/{delivery}"): ("view", None),
    ("POST", "/deliveries/{delivery}/move"): ("schedule", {"local_at": "2031-01-01T10:00"}),
    ("POST", "/deliveries/{delivery}/cancel"): ("schedule", None),
    ("POST", "/deliveries/{delivery}/undo-cancel"): ("schedule", None),
    ("POST", "/deliveries/{delivery}/send-again"): ("publish", None),
    ("POST", "/deliveries/{delivery}/settle-there"): ("publish", LINK),
    ("POST", "/deliveries/{delivery}/settle-absent"): ("publish", None),
    ("POST", "/deliveries/{delivery}/done-by-hand"): ("publish", LINK),
    ("POST", "/deliveries/{delivery}/finish"): ("publish", None),
    ("POST", "/deliveries/{delivery}/take-back"): ("publish", None),
    ("POST", "/deliveries/{delivery}/taken-back"): ("publish", None),
    ("POST", "/deliveries/{delivery}/leave"): ("publish", None),
    ("POST", "/deliveries/{delivery}/send-now"): ("publish", None),
    ("POST", "/deliveries/{delivery}/let-go"): ("schedule", None),
    ("POST", "/deliveries/{delivery}/made-public"): ("publish", None),
    ("POST", "/deliveries/{delivery}/look-again"): ("publish", None),
    ("POST", "/deliveries/{delivery}/delete"): ("publish", None),
    ("GET", "/deliveries/{delivery}/edits"): ("view", None),
    ("POST", "/deliveries/{delivery}/edit"): ("publish", {"text": "Good evening"}),
    ("POST", "/edits/{edit}/settle"): ("publish", {"there": True}),
    ("GET", "/punctuality"): ("view", None),
    ("GET", "/freezes"): ("view", None),
    ("POST", "/freeze"): ("freeze", {"why": "Storm"}),
    ("POST", "/freeze/{freeze}/lift"): ("lift", None),
    ("GET", "/messages"): ("read_inbox", None),
    ("GET", "/messages/{message}"): ("read_inbox", None),
    ("POST", "/messages/{message}/answer"): ("answer", {"text": "Thank you"}),
    ("POST", "/messages/{message}/like"): ("answer", None),
    ("POST", "/messages/{message}/unlike"): ("answer", None),
    ("POST", "/messages/{message}/hide"): ("answer", None),
    ("POST", "/messages/{message}/unhide"): ("answer", None),
    ("POST", "/messages/{message}/delete"): ("answer", None),
    ("POST", "/messages/{message}/done"): ("answer", None),
    ("POST", "/messages/{message}/reopen"): ("answer", None),
    ("GET", "/samples"): ("measure", None),
    ("DELETE", "/posts/{post}"): ("write", None),  # last: nothing is found there afterwards
}


@pytest.fixture
def things(
    clock: Clock, account: Account, write_post: Callable[..., Post], alice: Member, bob: Member
) -> dict[str, Any]:
    """One of each thing an address can name, all of Atelier Nord. The freeze comes last: it holds the delivery."""
    free = write_post("Free", on=[account])  # held by the freeze too, once a row of the table has promised it
    delivery = publishing.publish_now(post=write_post("Good morning", on=[account]), by=bob)[0]
    conversation = Conversation.objects.create(
        workspace=account.workspace, account=account, remote_id="c1", last_at=clock.moment
    )
    message = Message.objects.create(
        workspace=account.workspace,
        account=account,
        conversation=conversation,
        remote_id="m1",
        kind="mention",
        author_id="a1",
        text="Hello",
        said_at=clock.moment,
    )
    pattern = Pattern(
        rule="FREQ=WEEKLY;BYDAY=MO", first_on=date(2030, 3, 4), local_time=time(9, 30), zone="Europe/Paris"
    )
    recurrence = recurring.begin(post=write_post("Again", on=[account]), pattern=pattern, by=bob)
    freeze = publishing.freeze(account.workspace, why="Storm", by=alice)
    upload = arriving.begin(workspace=account.workspace, name="wave.mp4", size=10**6, mark="1", by=bob)
    return {
        "upload": upload.pk,
        "account": account.pk,
        "name": "board",
        "post": free.pk,
        "delivery": delivery.pk,
        "freeze": freeze.pk,
        "recurrence": recurrence.pk,
        "campaign": campaigns.save(campaign=None, plan=campaigns.Plan(name="Spring"), by=alice).pk,
        "message": message.pk,
        "edit": Edit.objects.create(
            step=delivery.steps.get(), number=1, before={"text": "Good morning"}, content={"text": "Good evening"}
        ).pk,
    }


def ask(program: Program, picture: Callable[..., BytesIO], method: str, path: str, body: Any) -> tuple[int, Any]:
    if path == "/media" and method == "POST":
        return program.upload(picture())
    return program.said(method, path, body)


def test_the_table_has_every_operation_of_the_api() -> None:
    names = {
        "accounts": "account",
        "posts": "post",
        "campaigns": "campaign",
        "deliveries": "delivery",
        "freeze": "freeze",
        "recurrences": "recurrence",
        "messages": "message",
        "uploads": "upload",
        "edits": "edit",
    }
    there = set()
    for path, methods in schema()["paths"].items():
        short = path.removeprefix("/api/v1")
        short = short.replace("{pk}", "{" + names.get(short.split("/")[1], "?") + "}")
        there |= {(method.upper(), short) for method in methods}
    assert there == set(TABLE)


@pytest.mark.parametrize("role", Role.values)
def test_a_role_opens_what_the_one_table_of_permissions_says(
    role: str,
    things: dict[str, Any],
    seat: Callable[..., Member],
    program: Callable[..., Program],
    picture: Callable[..., BytesIO],
) -> None:
    website = program(seat("Gaël", role))
    for (method, path), (verb, body) in TABLE.items():
        status, said = ask(website, picture, method, path.format(**things), body)
        if may(role, verb):
            assert status not in (401, 403, 404), (method, path, said)
        else:
            assert (status, said["error"]) == (403, "not_allowed"), (method, path, said)


def test_a_stranger_finds_nothing(
    things: dict[str, Any], charlie: Member, program: Callable[..., Program], picture: Callable[..., BytesIO]
) -> None:
    website = program(charlie)
    for (method, path), (_verb, body) in TABLE.items():
        if "{" in path:
            status, said = ask(website, picture, method, path.format(**things), body)
            assert (status, said["error"]) == (404, "not_found"), (method, path, said)
    for path in ("/accounts", "/posts", "/deliveries", "/messages", "/samples"):
        assert website.get(path) == (200, {"items": [], "page": 1, "more": False})
    assert website.get("/freezes") == (200, [])


def test_nobody_gets_in_without_a_token(
    things: dict[str, Any], nobody: Program, picture: Callable[..., BytesIO]
) -> None:
    for (method, path), (_verb, body) in TABLE.items():
        status, said = ask(nobody, picture, method, path.format(**things), body)
        assert (status, said["error"]) == (401, "token_needed"), (method, path)


def test_a_post_of_one_workspace_is_never_meant_for_an_account_of_another(
    things: dict[str, Any], charlie: Member, program: Callable[..., Program]
) -> None:
    status, said = program(charlie).post("/posts", {**TEXT, "on": [{"account": things["account"]}]})
    assert (status, said["error"]) == (422, "problem")


def test_what_holds_the_whole_installation_is_shown_and_not_lifted_here(
    clock: Clock, alice: Member, program: Callable[..., Program]
) -> None:
    alice.user.is_operator = True
    alice.user.save()
    freeze = publishing.freeze(None, why="Restored", by=alice.user)
    website = program(alice)
    assert [one["everywhere"] for one in website.get("/freezes")[1]] == [True]
    assert website.post(f"/freeze/{freeze.pk}/lift")[0] == 403
