"""What people sent, or did by hand, after the backup that was restored: it is looked for before it goes out again."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.api import services as api
from regie.core.times import WallTime
from regie.media import services as media
from regie.people.models import Member, Notice
from regie.publishing import pages, services
from regie.publishing.models import Delivery
from regie.studio.content import Content, MediaUse, Part
from regie.studio.models import Post

from .backups import Backup, back_up
from .going import state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
Due = Callable[[], None]
HERE = "/w/atelier-nord"
NOT_SURE = "after the backup that was restored"


@pytest.fixture(autouse=True)
def _operator(alice: Member) -> None:
    alice.user.is_operator = True
    alice.user.save()


@pytest.fixture
def missed(clock: Clock, post: Post, promise: Callable[..., Delivery], publish_due: Due) -> Delivery:
    """Nobody was there in time; a person is to decide."""
    made = promise(post, late_minutes=30)
    clock.set("10:00")
    publish_due()
    assert state_of(made) == "missed"
    return made


def restored(backup: Backup, by: Member) -> None:
    """The backup is all there is, and the freeze is lifted."""
    services.lift(backup.restore(), by=by)


def let_pass(clock: Clock, publish_due: Due, minutes: int) -> None:
    for _ in range(minutes):
        publish_due()
        clock.advance(minutes=1)
    publish_due()


def send_again(browser: Client, row: Delivery) -> None:
    page = browser.post(f"{HERE}/deliveries/{row.pk}/send-again/", follow=True).text
    assert NOT_SURE in page


def send_from_the_list(browser: Client, row: Delivery) -> None:
    page = browser.post(f"{HERE}/deliveries/missed/send/", {"delivery": [row.pk]}, follow=True).text
    assert NOT_SURE in page
    assert "on its way" not in page


def plan_from_the_list(browser: Client, row: Delivery) -> None:
    when = {"date": "2030-03-01", "time": "11:40", "zone": "Europe/Paris", "apart": 15}
    page = browser.post(f"{HERE}/deliveries/missed/plan/", {"delivery": [row.pk], **when}, follow=True).text
    assert NOT_SURE in page


def move(browser: Client, row: Delivery) -> None:
    when = {"date": "2030-03-01", "time": "11:40", "zone": "Europe/Paris"}
    page = browser.post(f"{HERE}/deliveries/{row.pk}/move/", when, follow=True).text
    assert NOT_SURE in page


def ask_the_api(_browser: Client, row: Delivery) -> None:
    by = Member.objects.get(user=row.scheduled_by, workspace=row.workspace)
    _token, secret = api.create_token(name="Shop window", by=by)
    said = (
        Client().post(f"/api/v1/deliveries/{row.pk}/send-again", headers={"Authorization": f"Bearer {secret}"}).json()
    )
    assert said["state"] == "unclear"
    assert NOT_SURE in said["problem"]


WAYS = [send_again, send_from_the_list, plan_from_the_list, move, ask_the_api]


@pytest.mark.parametrize("there", [True, False], ids=["sent after the backup", "not sent"])
@pytest.mark.parametrize("way", WAYS)
def test_what_was_missed_in_the_backup_is_looked_for_whichever_way_people_send_it_again(
    clock: Clock,
    mastodon: Sandbox,
    missed: Delivery,
    publish_due: Due,
    alice: Member,
    bob: Member,
    signed_in: Callable[[Member], Client],
    way: Callable[[Client, Delivery], None],
    there: bool,
) -> None:
    backup = back_up()
    clock.advance(minutes=5)
    if there:
        services.send_again(missed, by=bob)
        publish_due()
        assert state_of(missed) == "published"
    clock.advance(minutes=5)
    restored(backup, alice)
    assert state_of(missed) == "missed"
    way(signed_in(bob), missed)
    assert state_of(missed) == "unclear"
    publish_due()
    assert state_of(missed) == ("published" if there else "unclear")  # the network has had no time to show it
    let_pass(clock, publish_due, 1)
    clock.set("10:40")
    let_pass(clock, publish_due, 1)
    assert state_of(missed) == "published"
    assert mastodon.texts() == ["Good morning"]
    assert not Notice.objects.filter(kind="delivery.unclear").exists()


def test_the_pages_say_that_it_may_be_out(
    clock: Clock, missed: Delivery, alice: Member, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    backup = back_up()
    clock.advance(hours=2)
    restored(backup, alice)
    browser = signed_in(bob)
    page = browser.get(f"{HERE}/deliveries/missed/").text
    (when,) = re.findall("It may have gone out after the backup of (.+): we look first", page)
    assert "2030" in when
    page = browser.get(f"{HERE}/deliveries/{missed.pk}/").text
    assert f"restored from the backup of {when}" in page
    assert "Before it is sent again, we look for it there" in page
    services.send_again(missed, by=bob)
    page = browser.get(f"{HERE}/deliveries/{missed.pk}/").text
    assert "we look for it first" in page
    assert "so it may be out. We keep looking" not in page


def test_the_reason_of_the_freeze_is_in_the_readers_language(
    alice: Member, signed_in: Callable[[Member], Client], clock: Clock, transactional_db: None
) -> None:
    frozen = services.start_frozen_after_restore(backed_up_at=clock.moment)
    alice.user.language = "fr"
    alice.user.save()
    for path in ("", "freezes/", f"freezes/{frozen.pk}/"):
        page = signed_in(alice).get(f"/w/atelier-nord/{path}").text
        assert "Rétabli à partir d’une sauvegarde." in page
        assert frozen.why not in page


def test_under_the_freeze_it_is_looked_for_and_not_sent(
    clock: Clock, mastodon: Sandbox, missed: Delivery, publish_due: Due, alice: Member, bob: Member
) -> None:
    backup = back_up()
    clock.advance(minutes=5)
    frozen = backup.restore()
    services.move(missed, at=WallTime.at(clock.at("11:00"), "Europe/Paris"), by=bob)
    let_pass(clock, publish_due, 2)
    assert (state_of(missed), missed.holds) == ("held", ["frozen"])
    services.lift(frozen, by=alice)
    clock.set("11:00")
    publish_due()
    assert state_of(missed) == "published"
    assert mastodon.texts() == ["Good morning"]


def test_where_nobody_knows_a_person_is_asked_before_it_goes_out_again(
    clock: Clock,
    telegram: Sandbox,
    telegram_account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Due,
    alice: Member,
    bob: Member,
) -> None:
    missed = promise(write_post("Good morning", on=[telegram_account]), late_minutes=30)
    clock.set("10:00")
    publish_due()
    restored(back_up(), alice)
    services.send_again(missed, by=bob)
    let_pass(clock, publish_due, 3)
    assert (state_of(missed), missed.look_at, telegram.texts()) == ("unclear", None, [])
    assert NOT_SURE in missed.problem
    assert Notice.objects.filter(kind="delivery.unclear", user=bob.user).exists()
    assert services.settle_absent(missed, by=bob).state == "missed"
    services.send_again(missed, by=bob)
    publish_due()
    assert (state_of(missed), telegram.texts()) == ("published", ["Good morning"])


def test_what_was_refused_in_the_backup_is_looked_for_with_the_words_it_has_by_then(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    post: Post,
    promise: Callable[..., Delivery],
    publish_due: Due,
    alice: Member,
    bob: Member,
) -> None:
    refused = promise(post)
    mastodon.will_answer(422, method="POST", path="statuses")
    publish_due()
    assert state_of(refused) == "refused"
    backup = back_up()

    def mend_and_send() -> None:
        post.refresh_from_db()
        post.content, post.version = Content(parts=[Part(text="Good day to you all")]).as_json(), post.version + 1
        post.save()
        services.send_again(refused, by=bob)

    mend_and_send()
    publish_due()
    assert mastodon.texts() == ["Good day to you all"]
    restored(backup, alice)
    mend_and_send()
    let_pass(clock, publish_due, 3)
    assert state_of(refused) == "published"
    assert mastodon.texts() == ["Good day to you all"]


def test_a_part_that_was_refused_in_the_backup_is_looked_for(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Due,
    alice: Member,
    bob: Member,
) -> None:
    partly = promise(write_post("One", "Two", on=[account]))
    mastodon.faults.will_answer(422, method="POST", path="statuses", after=1)
    publish_due()
    assert state_of(partly) == "partly"
    backup = back_up()
    services.finish_partly(partly, by=bob)
    publish_due()
    assert state_of(partly) == "published"
    restored(backup, alice)
    services.finish_partly(partly, by=bob)
    let_pass(clock, publish_due, 3)
    assert state_of(partly) == "published"
    assert [entry.text for entry in mastodon.accepted()] == ["One", "Two"]


def test_letting_go_of_what_may_be_out_asks_nobody(missed: Delivery, alice: Member, bob: Member) -> None:
    restored(back_up(), alice)
    assert services.cancel(missed, by=bob).state == "cancelled"


def test_work_by_hand_says_to_look_at_the_account_first(
    clock: Clock,
    mastodon: Sandbox,
    account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    publish_due: Due,
    alice: Member,
    bob: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    by_hand = promise(write_post("Good morning", on=[account], by_hand=True))
    publish_due()
    backup = back_up()
    services.done_by_hand(by_hand, link=mastodon.say(by="regie", text="Good morning"), by=bob)
    clock.advance(hours=3)
    restored(backup, alice)
    publish_due()
    assert state_of(by_hand) == "missed"  # nobody but a person looks
    page = signed_in(bob).get(f"{HERE}/deliveries/{by_hand.pk}/by-hand/").text
    assert "Look at the account first" in page
    assert "Good morning" in page
    assert services.done_by_hand(by_hand, link=mastodon.accepted()[0].remote_id, by=bob).state == "published"
    assert pages.view_of(by_hand, bob).backup_in_doubt is None


def test_a_network_that_is_asked_by_an_id_of_its_own_is_searched_where_we_have_none(
    clock: Clock,
    instagram: Sandbox,
    instagram_account: Account,
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    picture: Callable[..., BytesIO],
    publish_due: Due,
    alice: Member,
    bob: Member,
    settings: Any,
    live_server: Any,
) -> None:
    settings.PUBLIC_URL = live_server.url
    file = media.upload(workspace=alice.workspace, name="a.jpg", source=picture(), by=alice)
    posts = [write_post(text, on=[instagram_account]) for text in ("It went out", "It did not")]
    for post in posts:
        post.content["parts"] = [
            Part(text=post.content["parts"][0]["text"], media=[MediaUse(file=file.pk)]).model_dump()
        ]
        post.save()
    out, never = promise(posts[0], "09:05"), promise(posts[1], "09:30")
    backup = back_up()
    clock.set("09:05")
    let_pass(clock, publish_due, 2)
    assert state_of(out) == "published"
    clock.set("10:40")
    frozen = backup.restore()
    let_pass(clock, publish_due, 4)
    assert (state_of(out), state_of(never)) == ("published", "missed")
    services.lift(frozen, by=alice)
    assert [entry.text for entry in instagram.accepted()] == ["It went out"]
