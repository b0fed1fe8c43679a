"""Options, first comments, quizzes and prices, for programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache

from regie.accounts.models import Account
from regie.accounts.opening import seal_credentials
from regie.people.models import Member
from regie_sandbox.threads.app import SCOPES as THREADS

if TYPE_CHECKING:
    from tests.api.conftest import Program
    from tests.conftest import Sandbox


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def website(program: Callable[..., Program], bob: Member) -> Program:
    return program(bob)


@pytest.mark.django_db
def test_an_account_tells_what_a_post_may_say_there(make_account: Callable[..., Account], website: Program) -> None:
    status, account = website.get(f"/accounts/{make_account('facebook').pk}")
    assert status == 200
    link = next(one for one in account["options"] if one["name"] == "link")
    assert (link["kind"], link["label"], link["required"], link["formats"]) == ("link", "Link", False, ["post"])


@pytest.mark.django_db
def test_options_and_a_first_comment_are_written_checked_and_changed(
    make_account: Callable[..., Account], website: Program
) -> None:
    account = make_account("facebook")
    content: dict[str, Any] = {
        "parts": [{"text": "Good morning"}],
        "options": {"facebook": {"link": "https://example.org/", "colour": "teal"}},
        "first_comment": "#linen",
    }
    status, post = website.post("/posts", {"content": content, "on": [{"account": account.pk}]})
    assert (status, post["content"]["options"], post["content"]["first_comment"]) == (201, content["options"], "#linen")
    check = website.post(f"/posts/{post['id']}/check")[1]
    assert [one["said"] for one in check["accounts"][0]["findings"]] == ["Facebook has no option “colour”."]
    del content["options"]["facebook"]["colour"]
    status, post = website.said("PATCH", f"/posts/{post['id']}", {"version": 1, "content": content})
    assert (status, post["content"]["options"]) == (200, {"facebook": {"link": "https://example.org/"}})
    assert website.post(f"/posts/{post['id']}/check")[1]["ready"] is True
    _, promised = website.post(f"/posts/{post['id']}/schedule", {"local_at": "2030-03-01T10:15"})
    receipt = website.get(f"/deliveries/{promised['deliveries'][0]['id']}")[1]
    assert [step["content"] for step in receipt["steps"]] == [
        {"text": "Good morning", "media": [], "options": {"link": "https://example.org/"}},
        {"text": "#linen", "media": [], "comment": True},
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("wrong", [{"facebook": "teal"}, {"facebook": {"link": 7}}, ["facebook"]])
def test_options_of_no_known_shape_are_refused(website: Program, wrong: Any) -> None:
    status, mistake = website.post("/posts", {"content": {"parts": [{"text": "Hello"}], "options": wrong}})
    assert (status, mistake["error"]) == (422, "invalid")


@pytest.mark.django_db
def test_a_quiz_keeps_its_right_answer(make_account: Callable[..., Account], website: Program) -> None:
    poll = {"options": ["Linen", "Wool"], "correct": 0, "explanation": "It breathes."}
    content = {"parts": [{"text": "Which is cooler?"}], "poll": poll}
    _, post = website.post("/posts", {"content": content, "on": [{"account": make_account("mastodon").pk}]})
    kept = website.get(f"/posts/{post['id']}")[1]["content"]["poll"]
    assert (kept["correct"], kept["explanation"]) == (0, "It breathes.")
    check = website.post(f"/posts/{post['id']}/check")[1]
    assert "Mastodon has no quizzes" in check["accounts"][0]["findings"][0]["said"]


@pytest.mark.django_db
def test_a_check_tells_what_networks_charge(make_account: Callable[..., Account], website: Program) -> None:
    accounts = [make_account("x"), make_account("mastodon")]
    content = {"parts": [{"text": "See https://example.org/linen"}]}
    given = {"content": content, "on": [{"account": one.pk} for one in accounts]}
    _, post = website.post("/posts", given)
    check = website.post(f"/posts/{post['id']}/check")[1]
    prices = [one["price"] for one in check["accounts"]]
    assert prices[0] > 0
    assert prices[1] == 0
    assert check["price"] == prices[0]


@pytest.mark.django_db(transaction=True)
def test_choices_that_only_the_network_knows_are_asked_of_it(
    pinterest: Sandbox, pinterest_account: Account, website: Program
) -> None:
    address = f"/accounts/{pinterest_account.pk}/options"
    status, answer = website.get(f"{address}/board/choices")
    board = pinterest.itself.ready_account()["options"]["board"]
    assert (status, answer) == (200, {"choices": [{"value": board, "label": "Ideas"}]})
    sections = website.get(f"{address}/board_section/choices?chosen={board}")[1]["choices"]
    assert [one["label"] for one in sections] == ["Kitchen", "Garden"]
    assert website.get(f"{address}/nonsense/choices")[1]["said"] == "Pinterest has no option “nonsense”."


@pytest.mark.django_db(transaction=True)
def test_choices_too_many_to_list_are_found_by_words(
    threads: Sandbox, connect: Callable[..., Account], website: Program
) -> None:
    net, account = threads.itself, connect(threads)
    place = net.make_place("Atelier Nord", city="Lyon")
    token = net.make_token(account.remote_id, net.make_app(), "threads", [*THREADS, "threads_location_tagging"])
    seal_credentials(account, {"access_token": token})
    account.limits["scopes"] = [*THREADS, "threads_location_tagging"]
    account.save()
    address = f"/accounts/{account.pk}/options/place/choices"
    found = [{"value": place.id, "label": "Atelier Nord · Lyon"}]
    assert website.get(f"{address}?words=atelier")[1] == {"choices": found}
    assert website.get(address)[1] == {"choices": []}
    options = website.get(f"/accounts/{account.pk}")[1]["options"]
    assert [one["name"] for one in options if one["searched"]] == ["place"]


@pytest.mark.django_db(transaction=True)
def test_a_network_that_is_away_is_a_503_with_the_reason(
    pinterest: Sandbox, pinterest_account: Account, website: Program
) -> None:
    for _ in range(4):
        pinterest.will_answer(503, path="/boards")
    status, mistake = website.get(f"/accounts/{pinterest_account.pk}/options/board/choices")
    assert (status, mistake["error"]) == (503, "network_away")
    assert "Pinterest" in mistake["said"]
