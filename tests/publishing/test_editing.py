"""What is out is changed where its network lets us: asked once, done once, and the doubt shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from regie.media.services import upload
from regie.people.errors import NotAllowed
from regie.people.models import AuditEntry, Notice
from regie.publishing import edit_calls, editing, services
from regie.publishing.errors import EditedMeanwhile, NotNow, NotReady
from regie.publishing.models import Delivery, Edit, Step
from regie.studio.content import MediaUse, Part

if TYPE_CHECKING:
    from django.test import Client

    from regie.accounts.models import Account
    from regie.people.models import Member
    from regie.studio.models import Post
    from tests.conftest import Clock, Sandbox

HERE = "/w/atelier-nord"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def work(transactional_db: None) -> Callable[[], None]:
    """Does what waits for edits at the clock's moment, as a worker's sweep would."""
    from regie.core.threads import in_thread

    def all_of_it() -> None:
        async def everything() -> None:
            for pk in await in_thread(edit_calls.waiting_edits):
                await edit_calls.work_on(pk)

        asyncio.run(everything())

    return all_of_it


@pytest.fixture
def out(
    clock: Clock, bob: Member, write_post: Callable[..., Post], publish_due: Callable[[], None]
) -> Callable[..., Delivery]:
    """A post that is out: ``out(account, "Open until six")``; more than one text is a thread."""

    def publish(account: Account, *texts: str, **more: Any) -> Delivery:
        delivery = services.publish_now(post=write_post(*texts, on=[account], **more), by=bob)[0]
        publish_due()
        delivery.refresh_from_db()
        assert delivery.state == "published", delivery.problem
        return delivery

    return publish


Out = Callable[..., Delivery]
Work = Callable[[], None]


def edit(delivery: Delivery, text: str, by: Member, *, seen: int = 0, part: int = 0, **options: Any) -> Edit:
    return editing.edit(delivery, text=text, options=options, by=by, seen=seen, part=part)


class EndsBetween:
    """Lets an edit end right after the first query: as when a worker is done while a page is drawn."""

    def __init__(self, made: Edit) -> None:
        self.made, self.ended = made, False

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        found = execute(sql, params, many, context)
        if not self.ended:
            self.ended = True
            edit_calls.done(self.made, None)
        return found


def states() -> list[str]:
    return list(Edit.objects.order_by("pk").values_list("state", flat=True))


@pytest.mark.parametrize("network", ["mastodon", "facebook", "telegram", "vk", "linkedin"])
def test_a_change_is_written_down_then_said_and_the_post_stays_the_same(
    network: str,
    request: pytest.FixtureRequest,
    connect: Callable[..., Account],
    out: Out,
    work: Work,
    bob: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    sandbox: Sandbox = request.getfixturevalue(network)
    delivery = out(connect(sandbox), "Open until six")
    made = edit(delivery, "Open until seven", bob)
    assert (made.state, sandbox.texts()) == ("waiting", ["Open until six"])
    work()
    work()
    made.refresh_from_db()
    before = delivery.remote_id
    delivery.refresh_from_db()
    assert (made.state, made.problem) == ("done", "")
    assert (sandbox.texts(), delivery.remote_id) == (["Open until seven"], before)
    assert AuditEntry.objects.filter(did="delivery.edited").count() == 1
    receipt = signed_in(bob).get(f"{HERE}/deliveries/{delivery.pk}/").content.decode()
    assert "2 versions" in receipt
    assert "changed by Bob" in receipt
    assert "Open until six" in receipt
    assert '<p class="page-lead">Open until seven</p>' in receipt


def test_where_a_change_gives_a_post_a_new_id_the_receipt_follows(
    x: Sandbox,
    connect: Callable[..., Account],
    out: Out,
    work: Work,
    bob: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    x.itself.lets_edit()
    delivery = out(connect(x), "Open until six")
    before = delivery.remote_id
    page = signed_in(bob).get(f"{HERE}/deliveries/{delivery.pk}/edit/").content.decode()
    assert "X charges about $0.015 for this, $0.20 with a link in it." in page
    edit(delivery, "Open until seven", bob)
    work()
    delivery.refresh_from_db()
    assert states() == ["done"]
    assert x.texts() == ["Open until seven"]
    assert delivery.remote_id != before
    assert delivery.remote_id in delivery.url
    assert delivery.steps.get().remote_id == delivery.remote_id


def test_one_part_of_a_thread_is_changed(
    mastodon: Sandbox, mastodon_account: Account, out: Out, work: Work, bob: Member
) -> None:
    delivery = out(mastodon_account, "One", "Two", "Three")
    edit(delivery, "Two, corrected", bob, part=1)
    work()
    assert sorted(mastodon.texts()) == ["One", "Three", "Two, corrected"]
    delivery.refresh_from_db()
    assert delivery.remote_id == delivery.steps.get(position=0).remote_id


def comment_of(delivery: Delivery) -> Step:
    return delivery.steps.get(position=1)


@pytest.mark.parametrize("network", ["facebook", "vk"])
def test_a_first_comment_is_changed_and_its_post_stays(
    network: str,
    clock: Clock,
    request: pytest.FixtureRequest,
    connect: Callable[..., Account],
    out: Out,
    work: Work,
    bob: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    sandbox: Sandbox = request.getfixturevalue(network)
    delivery = out(connect(sandbox), "Open today", first_comment="Until six")
    before = comment_of(delivery)
    receipt = signed_in(bob).get(f"{HERE}/deliveries/{delivery.pk}/").content.decode()
    assert "Edit the first comment" in receipt
    sandbox.will_lose_answer(method="POST")
    made = edit(delivery, "Until seven", bob, part=1)
    work()
    made.refresh_from_db()
    assert made.state in ("waiting", "unclear")
    clock.advance(minutes=2)
    work()
    work()
    made.refresh_from_db()
    assert (made.state, made.tries) == ("done", 2)
    after = comment_of(delivery)
    assert (after.content["text"], after.remote_id, after.extra) == ("Until seven", before.remote_id, before.extra)
    edits = [entry for entry in sandbox.network.world.ledger.of(network, kind="edit") if entry.text]
    assert {(entry.text, entry.remote_id) for entry in edits} == {("Until seven", after.remote_id)}
    with pytest.raises(NotReady, match="without words"):
        edit(delivery, "  ", bob, seen=1, part=1)


def test_a_first_comment_that_is_gone_leaves_its_post_where_it_is(
    facebook: Sandbox, connect: Callable[..., Account], out: Out, work: Work, bob: Member
) -> None:
    delivery = out(connect(facebook), "Open today", first_comment="Until six")
    net, comment = facebook.itself, comment_of(delivery)
    net._thing(comment.remote_id).comments.remove(comment.remote_id)
    del net.state.comments[comment.remote_id]
    edit(delivery, "Until seven", bob, part=1)
    work()
    delivery.refresh_from_db()
    assert (states(), delivery.gone_at) == (["refused"], None)


@pytest.mark.parametrize("lost", ["will_lose_answer", "will_drop"])
@pytest.mark.parametrize("network", ["x", "mastodon"])
def test_a_lost_answer_ends_in_a_look_and_in_the_new_text_once(
    lost: str,
    network: str,
    request: pytest.FixtureRequest,
    connect: Callable[..., Account],
    out: Out,
    work: Work,
    bob: Member,
    clock: Clock,
) -> None:
    sandbox: Sandbox = request.getfixturevalue(network)
    if network == "x":
        sandbox.itself.lets_edit()
    delivery = out(connect(sandbox), "Open until six")
    made = edit(delivery, "Open until seven", bob)
    getattr(sandbox, lost)(method="POST" if network == "x" else "PUT")
    work()
    made.refresh_from_db()
    assert made.state in ("waiting", "unclear")
    assert made.next_at is not None
    for _ in range(4):
        clock.advance(minutes=2)
        work()
    made.refresh_from_db()
    assert (made.state, made.problem) == ("done", "")
    assert sandbox.texts() == ["Open until seven"]


def test_a_worker_that_died_in_the_call_leaves_a_row_that_is_finished(
    mastodon: Sandbox, mastodon_account: Account, out: Out, work: Work, bob: Member, clock: Clock
) -> None:
    made = edit(out(mastodon_account, "Open until six"), "Open until seven", bob)
    assert edit_calls.claim(made.pk) is not None
    assert edit_calls.claim(made.pk) is None
    work()
    assert states() == ["asking"]
    clock.advance(minutes=2)
    work()
    assert states() == ["done"]
    assert mastodon.texts() == ["Open until seven"]


def test_what_nobody_answers_for_long_asks_a_person(
    mastodon: Sandbox, mastodon_account: Account, out: Out, work: Work, bob: Member, signed_in: Callable[..., Client]
) -> None:
    delivery = out(mastodon_account, "Open until six")
    made = edit(delivery, "Open until seven", bob)
    Edit.objects.filter(pk=made.pk).update(state="unclear", tries=edit_calls.MOST_TRIES)
    work()
    made.refresh_from_db()
    assert made.asks_a_person
    assert Notice.objects.get(user=bob.user).kind == "edit.unclear"
    page = signed_in(bob).get(f"{HERE}/deliveries/{delivery.pk}/").content.decode()
    assert "Look there: what does it say?" in page
    editing.settle(made, there=True, by=bob)
    assert delivery.steps.get().content["text"] == "Open until seven"
    with pytest.raises(NotNow):
        editing.settle(made, there=False, by=bob)


def test_what_a_person_saw_unchanged_stays_and_can_be_asked_for_again(
    mastodon: Sandbox, mastodon_account: Account, out: Out, work: Work, bob: Member
) -> None:
    delivery = out(mastodon_account, "Open until six")
    made = edit(delivery, "Open until seven", bob)
    Edit.objects.filter(pk=made.pk).update(state="unclear", next_at=None)
    made.refresh_from_db()
    editing.settle(made, there=False, by=bob)
    assert delivery.steps.get().content["text"] == "Open until six"
    edit(delivery, "Open until seven", bob, seen=1)
    work()
    assert states() == ["refused", "done"]


def test_what_the_network_refuses_is_said_and_the_old_text_stays(
    mastodon: Sandbox, mastodon_account: Account, out: Out, work: Work, bob: Member, signed_in: Callable[..., Client]
) -> None:
    delivery = out(mastodon_account, "Open until six")
    edit(delivery, "Open until seven", bob)
    mastodon.will_answer(422, method="PUT")
    work()
    row = Edit.objects.get()
    assert (row.state, bool(editing.problem_of(row)), row.next_at) == ("refused", True, None)
    assert row.answer is not None
    assert row.answer["status"] == 422
    assert delivery.steps.get().content["text"] == "Open until six"
    assert Notice.objects.get(user=bob.user).kind == "edit.refused"
    assert "Not changed" in signed_in(bob).get(f"{HERE}/deliveries/{delivery.pk}/").content.decode()


def test_an_outage_waits_and_the_change_is_done_once_it_is_over(
    mastodon: Sandbox, mastodon_account: Account, out: Out, work: Work, bob: Member, clock: Clock
) -> None:
    edit(out(mastodon_account, "Open until six"), "Open until seven", bob)
    mastodon.will_answer(503, method="PUT")
    work()
    assert states() == ["waiting"]
    work()  # not before its time
    assert mastodon.texts() == ["Open until six"]
    clock.advance(minutes=5)
    work()
    assert (states(), mastodon.texts()) == (["done"], ["Open until seven"])


def test_a_post_that_is_gone_is_said_to_be_gone(
    mastodon: Sandbox, mastodon_account: Account, out: Out, work: Work, bob: Member
) -> None:
    delivery = out(mastodon_account, "Open until six")
    edit(delivery, "Open until seven", bob)
    mastodon.will_answer(404, method="PUT")
    work()
    delivery.refresh_from_db()
    assert states() == ["refused"]
    assert delivery.gone_at is not None
    with pytest.raises(NotNow):
        edit(delivery, "Open until eight", bob, seen=1)


def test_of_two_editors_at_once_the_second_sees_the_first(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    out: Out,
    work: Work,
    alice: Member,
    bob: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    delivery = out(mastodon_account, "Open until six")
    edit(delivery, "Open until seven", alice)
    with pytest.raises(EditedMeanwhile):  # hers is under way
        edit(delivery, "Open until eight", bob)
    work()
    page = signed_in(bob).post(f"{HERE}/deliveries/{delivery.pk}/edit/0/", {"text": "Open until eight", "seen": "0"})
    shown = page.content.decode()
    assert page.status_code == 422
    assert "Somebody changed it meanwhile" in shown
    assert "Open until seven" in shown  # what it says now
    assert "Open until eight" in shown  # what he typed
    sent = {"text": "Open until eight", "seen": page.context["seen"]}
    assert signed_in(bob).post(f"{HERE}/deliveries/{delivery.pk}/edit/0/", sent).status_code == 302
    work()
    assert mastodon.texts() == ["Open until eight"]


def test_who_opens_the_form_while_a_change_is_under_way_does_not_undo_it(
    clock: Clock,
    mastodon: Sandbox,
    mastodon_account: Account,
    out: Out,
    work: Work,
    alice: Member,
    bob: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    delivery = out(mastodon_account, "Open until six. Come!")
    form = f"{HERE}/deliveries/{delivery.pk}/edit/0/"
    edit(delivery, "Open until seven. Come!", alice)
    client = signed_in(bob)
    page = client.get(form)
    assert (page.context["seen"], page.context["text"]) == (0, "Open until seven. Come!")
    assert "Change asked by Alice" in page.text
    assert "This change is under way, and its words are below." in page.text
    early = client.post(form, {"text": "Open until six. Do come!", "seen": 0})
    assert (early.status_code, early.context["seen"]) == (422, 0)
    assert "Another change is under way" in early.text
    assert "What it is going to say" in early.text
    assert "Open until seven. Come!" in early.text
    work()
    late = client.post(form, {"text": "Open until six. Do come!", "seen": early.context["seen"]})
    assert (late.status_code, late.context["seen"], late.context["under_way"]) == (422, 1, None)
    assert late.context["says_now"] == "Open until seven. Come!"
    assert client.post(form, {"text": "Open until seven. Do come!", "seen": 1}).status_code == 302
    work()
    assert mastodon.texts() == ["Open until seven. Do come!"]


def test_a_change_that_ends_while_the_form_is_drawn_does_not_count_as_seen(
    mastodon: Sandbox, mastodon_account: Account, out: Out, alice: Member
) -> None:
    delivery = out(mastodon_account, "Open until six")
    made, step = edit(delivery, "Open until seven", alice), delivery.steps.get()
    assert editing.look(step) == editing.Look(seen=0, content=step.content, under_way=made)
    with connection.execute_wrapper(EndsBetween(made)):
        looked = editing.look(step)
    assert (looked.seen, looked.content["text"], looked.under_way) == (0, "Open until seven", None)
    assert editing.look(step).seen == 1


@pytest.mark.parametrize("seen", ["", "none", "²", "-1", "9" * 30])
def test_a_number_that_is_none_counts_as_nothing_seen(
    seen: str, mastodon: Sandbox, mastodon_account: Account, out: Out, bob: Member, signed_in: Callable[..., Client]
) -> None:
    delivery = out(mastodon_account, "Open until six")
    page = signed_in(bob).post(f"{HERE}/deliveries/{delivery.pk}/edit/0/", {"text": "", "seen": seen})
    assert (page.status_code, page.context["seen"]) == (422, 0)


def test_a_change_has_to_pass_the_composers_checks(
    mastodon: Sandbox, mastodon_account: Account, out: Out, bob: Member
) -> None:
    delivery = out(mastodon_account, "Open until six")
    for text, said in (
        ("é" * 501, "too long"),
        ("   ", "nothing to publish"),
        ("Open until six", "Nothing is different"),
    ):
        with pytest.raises(NotReady, match=said):
            edit(delivery, text, bob)
    assert not Edit.objects.exists()


def test_title_and_tags_are_changed_where_the_network_says_so(
    pinterest: Sandbox, make_account: Callable[..., Account], clock: Clock, bob: Member
) -> None:
    account = make_account("pinterest", "Nord")
    step = Step(position=0, content={"text": "Blue", "options": {"board": "1", "title": "Coat"}, "media": []})
    assert [one.name for one in editing.options_of(step, account)] == ["title", "link"]
    content = editing.changed(step, account, "Green", {"title": "Coat, green", "link": "", "board": "2"})
    assert content["options"] == {"board": "1", "title": "Coat, green"}
    further = Step(position=1, content={"text": "Blue"})
    assert editing.options_of(further, account) == []


def test_where_nothing_can_be_changed_that_is_said_and_not_offered(
    bluesky: Sandbox, bluesky_account: Account, out: Out, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    delivery = out(bluesky_account, "Open until six")
    with pytest.raises(NotNow, match="Bluesky lets nobody change what is published"):
        edit(delivery, "Open until seven", bob)
    client = signed_in(bob)
    page = client.get(f"{HERE}/deliveries/{delivery.pk}/").content.decode()
    assert "Bluesky lets nobody change what is published" in page
    assert "Edit what is published" not in page
    assert "lets nobody change" in client.get(f"{HERE}/deliveries/{delivery.pk}/edit/").content.decode()


@pytest.mark.parametrize("role", ["community", "analyst", "guest"])
def test_only_those_who_may_publish_change_what_is_published(
    role: str,
    mastodon: Sandbox,
    mastodon_account: Account,
    out: Out,
    seat: Callable[..., Member],
    signed_in: Callable[[Member], Client],
) -> None:
    delivery, by = out(mastodon_account, "Open until six"), seat("Gaël", role)
    with pytest.raises(NotAllowed):
        edit(delivery, "Open until seven", by)
    client = signed_in(by)
    assert client.get(f"{HERE}/deliveries/{delivery.pk}/edit/").status_code == 403
    assert client.post(f"{HERE}/deliveries/{delivery.pk}/edit/", {"text": "No"}).status_code == 403
    assert "Edit what is published" not in client.get(f"{HERE}/deliveries/{delivery.pk}/").content.decode()


def test_a_stranger_finds_neither_the_form_nor_the_edit(
    mastodon: Sandbox,
    mastodon_account: Account,
    out: Out,
    bob: Member,
    charlie: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    delivery = out(mastodon_account, "Open until six")
    made = edit(delivery, "Open until seven", bob)
    client = signed_in(charlie)
    for where in (HERE, "/w/velo-club", "/w/all", ""):
        for path in (f"deliveries/{delivery.pk}/edit/", f"deliveries/{delivery.pk}/edit/0/"):
            assert client.get(f"{where}/{path}").status_code == 404
            assert client.post(f"{where}/{path}", {"text": "No"}).status_code == 404
        for verb in ("there", "absent"):
            assert client.post(f"{where}/deliveries/edits/{made.pk}/{verb}/").status_code == 404
    with pytest.raises(NotAllowed):
        edit(delivery, "No", charlie)


def test_a_restored_copy_says_nothing_and_what_waited_for_hours_is_no_longer_said(
    mastodon: Sandbox, mastodon_account: Account, out: Out, work: Work, alice: Member, bob: Member, clock: Clock
) -> None:
    edit(out(mastodon_account, "Open until six"), "Open until seven", bob)
    alice.user.is_operator = True
    alice.user.save()
    frozen = services.freeze(None, why="Restored", by=alice.user)
    work()
    assert states() == ["waiting"]
    clock.advance(hours=7)
    services.lift(frozen, by=alice.user)
    work()
    assert (states(), mastodon.texts()) == (["refused"], ["Open until six"])
    assert "waited for hours" in editing.problem_of(Edit.objects.get())


def test_a_change_is_not_said_while_the_account_is_not_connected_and_given_up_after_hours(
    mastodon: Sandbox, mastodon_account: Account, out: Out, work: Work, bob: Member, clock: Clock
) -> None:
    edit(out(mastodon_account, "Open until six"), "Open until seven", bob)
    type(mastodon_account).objects.filter(pk=mastodon_account.pk).update(state="paused")
    work()
    assert states() == ["waiting"]
    clock.advance(seconds=(edit_calls.GIVE_UP + timedelta(minutes=1)).total_seconds())
    work()
    assert (states(), mastodon.texts()) == (["refused"], ["Open until six"])


KEPT: dict[str, Callable[[Any, str], object]] = {
    "mastodon": lambda state, post: len(state.statuses[post].media_ids),
    "vk": lambda state, post: len(state.posts[post].attachments),
    "pinterest": lambda state, pin: state.pins[pin].title,
    "telegram": lambda _state, _post: None,  # more or fewer files it would refuse
}


@pytest.mark.parametrize(("network", "after"), [("mastodon", 1), ("vk", 1), ("telegram", None), ("pinterest", "New")])
def test_the_pictures_of_a_post_stay_when_its_words_change(
    network: str,
    after: object,
    request: pytest.FixtureRequest,
    connect: Callable[..., Account],
    write_post: Callable[..., Post],
    picture: Callable[..., BytesIO],
    publish_due: Callable[[], None],
    work: Work,
    alice: Member,
    bob: Member,
    clock: Clock,
) -> None:
    sandbox: Sandbox = request.getfixturevalue(network)
    account = connect(sandbox)
    file = upload(workspace=alice.workspace, name="coat.jpg", source=picture(320, 320), by=alice)
    options = sandbox.itself.ready_account().get("options", {})
    post = write_post("Open until six", on=[account], options={str(account.pk): options} if options else {})
    post.content["parts"] = [Part(text="Open until six", media=[MediaUse(file=file.pk)]).model_dump()]
    post.save()
    delivery = services.publish_now(post=post, by=bob)[0]
    for _ in range(8):
        publish_due()
        clock.advance(seconds=20)
    delivery.refresh_from_db()
    assert delivery.state == "published", delivery.problem
    edit(delivery, "Open until seven", bob, title="New")
    work()
    assert states() == ["done"], editing.problem_of(Edit.objects.get())
    assert sandbox.texts() == ["Open until seven"]
    assert KEPT[network](sandbox.itself.state, delivery.remote_id) == after
