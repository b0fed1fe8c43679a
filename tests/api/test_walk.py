"""A program's whole way: a picture, a post, a time, the network, the receipt. And doing nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test import Client

from regie.accounts.models import Account
from regie.api.models import Answered
from regie.api.services import forget_answers
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.api.conftest import Program
    from tests.conftest import Clock, Sandbox

TEXT = {"parts": [{"text": "Good morning"}]}


@pytest.fixture
def website(program: Callable[..., Program], bob: Member) -> Program:
    return program(bob)


@pytest.mark.django_db(transaction=True)
def test_from_a_picture_to_the_receipt(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    website: Program,
    picture: Callable[..., BytesIO],
    publish_due: Callable[[], None],
) -> None:
    status, file = website.upload(picture(), alt="A teal square")
    assert (status, file["alt"], file["width"]) == (201, "A teal square", 320)
    assert [one["id"] for one in website.get("/media?text=teal")[1]["items"]] == [file["id"]]

    content = {"parts": [{"text": "Good morning", "media": [{"file": file["id"]}]}]}
    status, post = website.post("/posts", {"content": content, "on": [{"account": account.pk}]})
    assert (status, post["version"]) == (201, 1)
    assert website.post(f"/posts/{post['id']}/check")[1]["ready"] is True

    status, promised = website.post(f"/posts/{post['id']}/schedule", {"local_at": "2030-03-01T10:15"})
    assert status == 200
    (delivery,) = promised["deliveries"]
    assert (delivery["state"], delivery["due_at"]) == ("scheduled", "2030-03-01T09:15:00Z")
    assert (delivery["local_at"], delivery["zone"]) == ("2030-03-01T10:15:00", "Europe/Paris")

    clock.set("09:15")
    publish_due()
    assert mastodon.texts() == ["Good morning"]
    status, receipt = website.get(f"/deliveries/{delivery['id']}")
    assert (status, receipt["state"], receipt["late_seconds"]) == (200, "published", 0.0)
    assert receipt["link"].startswith(mastodon.base)
    (step,) = receipt["steps"]
    assert step["content"]["text"] == "Good morning"
    assert [attempt["outcome"] for attempt in step["attempts"] if attempt["kind"] == "commit"] == ["published"]
    assert website.get("/deliveries?state=published&until=2030-03-01T09:15:00Z")[1]["items"] == []
    assert len(website.get(f"/deliveries?state=published&account={account.pk}&post={post['id']}")[1]["items"]) == 1


@pytest.mark.django_db(transaction=True)
def test_a_program_that_repeats_itself_publishes_once(
    mastodon: Sandbox, account: Account, website: Program, publish_due: Callable[[], None]
) -> None:
    given = {"content": TEXT, "on": [{"account": account.pk}]}
    first = website.post("/posts", given, **{"Idempotency-Key": "post-1"})
    assert website.post("/posts", given, **{"Idempotency-Key": "post-1"}) == first
    assert Post.objects.count() == 1
    now = f"/posts/{first[1]['id']}/publish"
    sent = website.post(now, **{"Idempotency-Key": "publish-1"})
    publish_due()
    assert website.post(now, **{"Idempotency-Key": "publish-1"}) == sent
    publish_due()
    assert sent[0] == 200
    assert mastodon.texts() == ["Good morning"]


def test_the_same_picture_with_the_same_key_is_answered_the_same(
    db: None, website: Program, picture: Callable[..., BytesIO]
) -> None:
    from django.test import Client

    headers = {"Authorization": f"Bearer {website.secret}", "Idempotency-Key": "file-1"}
    answers = [Client().post("/api/v1/media", {"file": picture()}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()


def test_a_key_belongs_to_one_request(db: None, website: Program) -> None:
    key = {"Idempotency-Key": "one"}
    assert website.post("/posts", {"content": TEXT}, **key)[0] == 201
    status, said = website.post("/posts", {"content": {"parts": [{"text": "Other"}]}}, **key)
    assert (status, said["error"]) == (422, "key_reused")
    assert Post.objects.count() == 1


def test_a_key_belongs_to_one_token(db: None, website: Program, program: Callable[..., Program], bob: Member) -> None:
    key = {"Idempotency-Key": "one"}
    first = website.post("/posts", {"content": TEXT}, **key)[1]
    assert program(bob).post("/posts", {"content": TEXT}, **key)[1]["id"] != first["id"]


def test_a_request_that_failed_may_be_tried_again_with_its_key(db: None, website: Program, account: Account) -> None:
    key = {"Idempotency-Key": "one"}
    given = {"content": TEXT, "on": [{"account": account.pk + 1000}]}
    assert website.post("/posts", given, **key)[0] == 422
    assert not Answered.objects.exists()
    assert website.post("/posts", {"content": TEXT}, **key)[0] == 201


def test_a_key_is_remembered_for_a_day(clock: Clock, website: Program) -> None:
    key = {"Idempotency-Key": "one"}
    first = website.post("/posts", {"content": TEXT}, **key)[1]
    clock.advance(hours=23)
    assert website.post("/posts", {"content": TEXT}, **key)[1]["id"] == first["id"]
    clock.advance(hours=2)
    assert website.post("/posts", {"content": TEXT}, **key)[1]["id"] != first["id"]
    clock.advance(hours=25)
    assert forget_answers() == 1


def test_a_change_from_an_old_version_shows_what_is_there(db: None, website: Program) -> None:
    post = website.post("/posts", {"content": TEXT, "title": "Spring"})[1]
    where = f"/posts/{post['id']}"
    status, changed = website.said("PATCH", where, {"version": 1, "title": "Summer"})
    assert (status, changed["version"], changed["title"], changed["content"]) == (200, 2, "Summer", post["content"])
    status, said = website.said("PATCH", where, {"version": 1, "title": "Autumn"})
    assert (status, said["error"], said["details"]["theirs"]["title"]) == (409, "changed", "Summer")
    assert website.get(where)[1]["title"] == "Summer"


def test_each_account_can_have_its_own_text(db: None, website: Program, account: Account) -> None:
    own = {"parts": [{"text": "Hello fediverse"}]}
    given = {"content": TEXT, "on": [{"account": account.pk, "content": own}]}
    post = website.post("/posts", given)[1]
    assert post["on"][0]["content"]["parts"][0]["text"] == "Hello fediverse"
    assert website.said("PATCH", f"/posts/{post['id']}", {"version": 1, "on": []})[1]["on"] == []
    assert website.get(f"/posts?account={account.pk}")[1]["items"] == []


def test_what_stands_in_the_way_is_said_before_and_when_scheduling(
    db: None, website: Program, account: Account
) -> None:
    long = {"content": {"parts": [{"text": "x" * 600}]}, "on": [{"account": account.pk}]}
    post = website.post("/posts", long)[1]
    checked = website.post(f"/posts/{post['id']}/check")[1]
    assert checked["ready"] is False
    assert checked["accounts"][0]["findings"][0]["level"] == "stop"
    status, said = website.post(f"/posts/{post['id']}/publish")
    assert (status, said["error"], said["details"][0]["account"]) == (422, "not_ready", account.pk)
    assert not Delivery.objects.exists()


def test_a_delivery_is_moved_cancelled_and_brought_back(clock: Clock, website: Program, post: Post) -> None:
    (delivery,) = website.post(f"/posts/{post.pk}/schedule", {"local_at": "2030-03-01T12:00"})[1]["deliveries"]
    where = f"/deliveries/{delivery['id']}"
    moved = website.post(f"{where}/move", {"local_at": "2030-03-02T12:00", "zone": "America/New_York"})
    assert (moved[0], moved[1]["due_at"]) == (200, "2030-03-02T17:00:00Z")
    assert website.post(f"{where}/cancel")[1]["state"] == "cancelled"
    status, said = website.post(f"{where}/cancel")
    assert (status, said["error"]) == (409, "changed")
    assert website.post(f"{where}/undo-cancel")[1]["state"] == "scheduled"
    assert website.said("DELETE", f"/posts/{post.pk}")[0] == 422
    website.post(f"{where}/cancel")
    assert website.said("DELETE", f"/posts/{post.pk}") == (204, None)
    assert website.get(f"/posts/{post.pk}")[0] == 404


def test_a_post_by_hand_is_settled_with_its_link(
    clock: Clock, website: Program, account: Account, write_post: Callable[..., Post], publish_due: Callable[[], None]
) -> None:
    post = write_post("By hand", on=[account], by_hand=True)
    (delivery,) = website.post(f"/posts/{post.pk}/publish")[1]["deliveries"]
    publish_due()
    where = f"/deliveries/{delivery['id']}"
    assert website.get(where)[1]["state"] == "by_hand"
    status, done = website.post(f"{where}/done-by-hand", {"link": f"{account.server}/@regie/123"})
    assert (status, done["state"], done["link"]) == (200, "published", f"{account.server}/@regie/123")


def test_a_freeze_holds_and_its_lifting_lets_go(
    clock: Clock, website: Program, program: Callable[..., Program], alice: Member, post: Post
) -> None:
    (delivery,) = website.post(f"/posts/{post.pk}/schedule", {"local_at": "2030-03-01T12:00"})[1]["deliveries"]
    freeze = website.post("/freeze", {"why": "Storm"})[1]
    held = website.get(f"/deliveries/{delivery['id']}")[1]
    assert (held["state"], [hold["hold"] for hold in held["holds"]]) == ("held", ["frozen"])
    assert [one["id"] for one in website.get("/freezes")[1]] == [freeze["id"]]
    status, lifted = program(alice).post(f"/freeze/{freeze['id']}/lift")
    assert (status, lifted["missed"]) == (200, [])
    assert lifted["freeze"]["lifted_at"] is not None
    assert website.get(f"/deliveries/{delivery['id']}")[1]["state"] == "scheduled"


def test_an_account_says_what_it_can_do(db: None, website: Program, account: Account) -> None:
    status, one = website.get(f"/accounts/{account.pk}")
    assert (status, one["network"]) == (200, "mastodon")
    can = one["capabilities"]
    assert can["text"]["longest"] == 500
    assert can["images"]["most"] == 4
    assert can["repeat"]["is"] == "Repeatable"
    assert one["id"] in [row["id"] for row in website.get("/accounts")[1]["items"]]


def test_long_lists_come_in_pages(db: None, website: Program) -> None:
    for number in range(5):
        website.post("/posts", {"content": TEXT, "title": str(number)})
    pages = [website.get(f"/posts?size=2&page={page}")[1] for page in (1, 2, 3)]
    assert [[post["title"] for post in page["items"]] for page in pages] == [["4", "3"], ["2", "1"], ["0"]]
    assert [page["more"] for page in pages] == [True, True, False]


@pytest.mark.django_db(transaction=True)
def test_of_two_requests_with_one_key_at_the_same_moment_the_second_waits_for_the_first(website: Program) -> None:
    def write(_: int) -> tuple[int, Any]:
        try:
            return website.post("/posts", {"content": TEXT}, **{"Idempotency-Key": "both"})
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(write, range(4)))
    assert [status for status, _said in answers] == [201] * 4
    assert {said["id"] for _status, said in answers} == {Post.objects.get().pk}


def test_a_campaign_is_frozen_and_lifted_with_decisions(
    clock: Clock, website: Program, program: Callable[..., Program], alice: Member, account: Account
) -> None:
    status, campaign = website.post("/campaigns", {"name": "Spring", "ends_on": "2030-04-01"})
    assert (status, campaign["archived"]) == (201, False)
    body = {"content": TEXT, "on": [{"account": account.pk}], "campaign": campaign["id"]}
    ids = []
    for hour in (12, 13):
        post = website.post("/posts", body)[1]
        at = {"local_at": f"2030-03-01T{hour}:00"}
        ids.append(website.post(f"/posts/{post['id']}/schedule", at)[1]["deliveries"][0]["id"])
    assert website.get(f"/posts?campaign={campaign['id']}")[1]["items"][0]["campaign"] == campaign["id"]
    freeze = website.post("/freeze", {"why": "Recall", "campaign": campaign["id"]})[1]
    assert freeze["campaign"] == campaign["id"]
    given = {"still_to_come": "hold", "decisions": [{"delivery": ids[1], "do": "move", "local_at": "2030-03-02T09:00"}]}
    lifted = program(alice).post(f"/freeze/{freeze['id']}/lift", given)[1]
    assert lifted["problems"] == []
    rows = [website.get(f"/deliveries/{one}")[1] for one in ids]
    assert [row["state"] for row in rows] == ["held", "scheduled"]
    assert rows[1]["local_at"].startswith("2030-03-02T09:00")
    assert website.post("/posts", {**body, "campaign": 10**9})[0] == 404


def test_a_video_in_pieces_becomes_a_story_that_says_what_stands_in_its_way(
    website: Program, account: Account, video: Callable[..., BytesIO]
) -> None:
    whole = video(noise=True).getvalue()
    begun = website.post("/uploads", {"name": "wave.mp4", "size": len(whole), "mark": "w1"})[1]
    headers = {"Authorization": f"Bearer {website.secret}"}
    for at in range(0, len(whole), 30_000):
        address = f"/api/v1/uploads/{begun['id']}?at={at}"
        sent = Client().put(address, whole[at : at + 30_000], content_type="application/octet-stream", headers=headers)
        assert (sent.status_code, sent.json()["received"]) == (200, min(at + 30_000, len(whole)))
    status, file = website.post(f"/uploads/{begun['id']}/finish")
    assert (status, file["kind"], file["content_type"], file["size"]) == (201, "video", "video/mp4", len(whole))
    assert file["seconds"] == pytest.approx(2, abs=0.1)

    content = {"parts": [{"media": [{"file": file["id"], "cut": True}]}], "format": "story"}
    post = website.post("/posts", {"content": content, "on": [{"account": account.pk}]})[1]
    assert (post["content"]["format"], post["content"]["parts"][0]["media"][0]["cut"]) == ("story", True)
    (check,) = website.post(f"/posts/{post['id']}/check")[1]["accounts"]
    assert [one["said"] for one in check["findings"] if one["level"] == "stop"] == [
        "Mastodon has no stories: choose an ordinary post for this account."
    ]


@pytest.mark.django_db(transaction=True)
def test_a_program_uploads_every_kind_and_says_what_goes_with_a_video(
    make_account: Callable[..., Account],
    website: Program,
    video: Callable[..., BytesIO],
    paper: Callable[..., BytesIO],
    picture: Callable[..., BytesIO],
) -> None:
    subtitles = BytesIO(b"1\n00:00:00,100 --> 00:00:01,000\nBonjour\n")
    film, report, cover, words = (
        website.upload(source)[1] for source in (video(), paper(pages=4, title="Our year"), picture(), subtitles)
    )
    assert [one["kind"] for one in (film, report, cover, words)] == ["video", "document", "picture", "captions"]
    assert (report["title"], report["pages"], report["width"]) == ("Our year", 4, 0)

    use = {"file": film["id"], "cover": cover["id"], "captions": words["id"], "language": "fr"}
    account = make_account("mastodon")
    content = {"parts": [{"text": "Waves", "media": [use]}]}
    status, post = website.post("/posts", {"content": content, "on": [{"account": account.pk}]})
    assert (status, post["content"]["parts"][0]["media"]) == (
        201,
        [{**use, "alt": None, "cut": False, "as_video": False}],
    )
    wrong = {"parts": [{"text": "Waves", "media": [{"file": film["id"], "cover": report["id"]}]}]}
    status, post = website.post("/posts", {"content": wrong, "on": [{"account": account.pk}]})
    checked = website.post(f"/posts/{post['id']}/check")[1]
    assert checked["ready"] is False
    assert "cannot be a cover: choose a picture" in str(checked)
