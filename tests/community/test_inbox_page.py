"""The inbox as people see it: what is there, what is not theirs, and what the buttons do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from regie.community import arriving, queries, sending, services
from regie.community.models import Answer, Avatar, Inbox, InboxAccount, Message
from regie.networks.data import Messages, Published
from regie.people.permissions import MAY, Role
from regie.people.scope import Scope
from regie.web.navigation import counts

if TYPE_CHECKING:
    from django.test import Client

    from regie.accounts.models import Account
    from regie.people.models import Member, Workspace
    from tests.conftest import Clock

SignIn = Callable[..., "Client"]
Say = Callable[..., Message]
HERE = "/w/atelier-nord"
pytestmark = pytest.mark.django_db


@pytest.fixture
def account(make_account: Callable[..., Account]) -> Account:
    """Nobody talks to the network here."""
    return make_account("mastodon", "Atelier Nord")


def listed(client: Client, query: str = "", where: str = HERE) -> list[str]:
    page = client.get(f"{where}/inbox/{query}")
    assert page.status_code == 200
    return [row.text for row in page.context["rows"]]


def test_the_search_leads_to_what_people_said_and_never_to_an_answer_of_ours(
    signed_in: SignIn, say: Say, chloe: Member
) -> None:
    say("Until six", ours=True)
    asked = say("Open until six?")
    client = signed_in(chloe)
    (group,) = client.get(f"{HERE}/search/?q=until+six").context["groups"]
    assert [hit["label"] for hit in group["hits"]] == ["Open until six?"]
    assert client.get(group["hits"][0]["url"]).context["pane"]["message"] == asked


def test_an_empty_inbox_says_what_will_come_and_how(signed_in: SignIn, alice: Member, clock: Clock) -> None:
    page = signed_in(alice).get(f"{HERE}/inbox/")
    assert "Connect an account to hear people" in page.content.decode()


def test_today_and_the_navigation_count_the_same_messages(
    clock: Clock, say: Say, chloe: Member, signed_in: SignIn
) -> None:
    say("Until when?")
    say("Done with", state="done")
    said = say("Oops")
    gone = Messages(messages=(), cursor="", gone=(said.remote_id,))
    inbox = Inbox.objects.create(network=said.account.network, key="account:1")
    InboxAccount.objects.create(inbox=inbox, account=said.account)
    arriving.store(inbox, gone, cursor=False)
    page = signed_in(chloe).get(f"{HERE}/")
    assert [message.text for message in page.context["open_messages"]] == ["Until when?"]
    assert page.context["open_count"] == counts(Scope.for_member(chloe))["community:inbox"] == 1


def test_what_was_gone_before_it_counted_as_done_is_done(clock: Clock, say: Say) -> None:
    gone = [say(gone_at=clock.moment - timedelta(days=1)), say(gone_at=clock.moment, state="done")]
    there = say()
    import_module("regie.community.migrations.0005_gone_is_done").close(apps, None)
    found = dict(Message.objects.values_list("pk", "state"))
    assert found == {gone[0].pk: "done", gone[1].pk: "done", there.pk: "open"}
    done = dict(Message.objects.values_list("pk", "done_at"))
    assert done == {gone[0].pk: clock.moment - timedelta(days=1), gone[1].pk: None, there.pk: None}


def test_the_list_shows_open_messages_newest_first_and_done_ones_on_request(
    signed_in: SignIn, say: Say, clock: Clock, chloe: Member
) -> None:
    say("old", said_at=clock.moment - timedelta(days=1))
    say("new")
    done = say("settled")
    services.mark_done(messages=[done], by=chloe)
    client = signed_in(chloe)
    assert listed(client) == ["new", "old"]
    assert listed(client, "?state=done") == ["settled"]
    assert set(listed(client, "?state=all")) == {"old", "new", "settled"}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("facon", ["Très Façonné"]),
        ("FAÇ tres", ["Très Façonné"]),
        ("nunez", ["Très Façonné", "Ёлка в магазине"]),
        ("елка", ["Ёлка в магазине"]),
        ("coeur", ["un cœur"]),
        ("façonné demain", []),
        ("') | (zz:*", []),
    ],
)
def test_the_search_knows_accents_cyrillic_and_beginnings(
    signed_in: SignIn, say: Say, clock: Clock, chloe: Member, typed: str, found: list[str]
) -> None:
    say("Très Façonné")
    say("Ёлка в магазине")
    say("un cœur", author_name="Bo")
    assert sorted(listed(signed_in(chloe), f"?q={typed}")) == sorted(found)


def test_filters_narrow_the_list(
    signed_in: SignIn, say: Say, clock: Clock, chloe: Member, alice: Member, make_account: Callable[..., Account]
) -> None:
    other = make_account("bluesky", "Nord Studio")
    say("to us")
    say("a mention", kind="mention")
    say("elsewhere", to=other)
    services.assign(message=say("for Chloé"), to=chloe.user, by=alice)
    client = signed_in(chloe)
    assert listed(client, f"?account={other.pk}") == ["elsewhere"]
    assert listed(client, "?kind=mention") == ["a mention"]
    assert listed(client, "?assignee=me") == ["for Chloé"]
    assert "for Chloé" not in listed(client, "?assignee=nobody")
    assert len(listed(client, "?account=999999&kind=nonsense")) == 4  # a filter that is no more narrows nothing


def test_all_clients_are_listed_together_with_their_names(
    signed_in: SignIn, say: Say, clock: Clock, seat: Callable[..., Member], charlie: Member
) -> None:
    both = seat("Dana", "manager")
    _join(both, charlie.workspace)
    theirs = _account_of(charlie.workspace)
    say("here")
    say("there", to=theirs)
    client = signed_in(both)
    assert sorted(listed(client, where="/w/all")) == ["here", "there"]
    page = client.get("/w/all/inbox/").content.decode()
    assert "Vélo Club" in page
    assert "Atelier Nord" in page


def _join(member: Member, workspace: Workspace) -> None:
    from regie.people.models import Member

    Member.objects.create(user=member.user, workspace=workspace, role="community")


def _account_of(workspace: Workspace) -> Account:
    from regie.accounts.models import Account

    return Account.objects.create(
        workspace=workspace, network="mastodon", server="https://velo.example", remote_id="velo", name="Vélo"
    )


@pytest.mark.parametrize("role", list(Role))
def test_who_reads_and_who_answers_follows_the_table_of_roles(
    role: str, signed_in: SignIn, say: Say, clock: Clock, seat: Callable[..., Member]
) -> None:
    message = say("Until when?")
    client = signed_in(seat("Gaël", role))
    reads, answers = role in MAY["read_inbox"], role in MAY["answer"]
    assert listed(client) == (["Until when?"] if reads else [])
    opened = client.get(f"{HERE}/inbox/?message={message.pk}")
    assert opened.status_code == (200 if reads else 404)
    if reads:
        assert ('id="reply"' in opened.content.decode()) == answers
    for verb, given in (("answer", {"text": "Six"}), ("done", {}), ("reopen", {}), ("assign", {"to": ""})):
        reply = client.post(f"{HERE}/inbox/{message.pk}/{verb}/", given)
        assert reply.status_code == (302 if answers else 403 if reads else 404), verb
    assert Answer.objects.exists() == answers


@pytest.mark.parametrize("verb", ["answer", "like", "unlike", "hide", "unhide", "delete", "done", "reopen", "assign"])
def test_a_stranger_finds_nothing(verb: str, signed_in: SignIn, say: Say, clock: Clock, charlie: Member) -> None:
    message = say()
    client = signed_in(charlie)
    for where in ("/w/velo-club", "/w/all", ""):
        assert client.get(f"{where}/inbox/?message={message.pk}").status_code == 404
        assert client.post(f"{where}/inbox/{message.pk}/{verb}/", {"text": "hi"}).status_code == 404
    assert client.get(f"{HERE}/inbox/").status_code == 404
    assert listed(client, where="/w/all") == []
    client.post("/w/all/inbox/all/done/", {"ids": [message.pk]})
    message.refresh_from_db()
    assert message.state == "open"


def test_whoever_is_not_signed_in_is_asked_to(client: Client, say: Say, clock: Clock) -> None:
    message = say()
    for path in ("/inbox/", f"/inbox/?message={message.pk}", "/inbox/people/1/"):
        assert client.get(path).status_code == 302
    assert client.post(f"/inbox/{message.pk}/done/").status_code == 302
    message.refresh_from_db()
    assert message.state == "open"


def test_an_answer_that_does_not_fit_keeps_its_text_and_says_why(
    signed_in: SignIn, say: Say, clock: Clock, chloe: Member
) -> None:
    message = say()
    page = signed_in(chloe).post(f"{HERE}/inbox/{message.pk}/answer/?q=until", {"text": "é" * 501, "seen": "0"})
    assert page.status_code == 422
    assert "é" * 501 in page.content.decode()
    assert "Too long by 1" in page.content.decode()


def test_whoever_answers_second_sees_the_first_answer_and_keeps_the_text(
    signed_in: SignIn, say: Say, clock: Clock, chloe: Member, alice: Member
) -> None:
    message = say()
    services.answer(message=message, text="Until six", by=alice, seen=0)
    client = signed_in(chloe)
    page = client.post(f"{HERE}/inbox/{message.pk}/answer/", {"text": "Six o'clock", "seen": "0"})
    shown = page.content.decode()
    assert page.status_code == 422
    assert "Until six" in shown
    assert "Somebody answered meanwhile" in shown
    seen = page.context["pane"]["seen"]
    client.post(f"{HERE}/inbox/{message.pk}/answer/", {"text": "Six o'clock", "seen": seen})
    assert Answer.objects.count() == 2


@pytest.mark.parametrize("read", ["waiting_answers", "conversation_of", "answers_behind"])
def test_an_answer_that_goes_out_while_the_page_is_made_stands_on_it_once(
    read: str, signed_in: SignIn, say: Say, clock: Clock, chloe: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = say()
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    before = getattr(queries, read)

    def goes_out_first(of: Any) -> Any:
        sending.sent(answer, Published(remote_id="out"))
        return before(of)

    monkeypatch.setattr(queries, read, goes_out_first)
    page = signed_in(chloe).get(f"{HERE}/inbox/?message={message.pk}").content.decode()
    assert page.count('<p class="talk-text">Until six</p>') == 1


@pytest.mark.parametrize("read", ["conversation_of", "answers_behind"])
def test_a_page_that_lacks_the_answer_of_a_colleague_does_not_count_it_as_read(
    read: str, signed_in: SignIn, say: Say, clock: Clock, chloe: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = say()
    before = getattr(queries, read)

    def a_colleague_answers_first(of: Any) -> Any:
        if not Answer.objects.exists():
            services.answer(message=message, text="Until six", by=chloe, seen=0)
        return before(of)

    client = signed_in(chloe)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(queries, read, a_colleague_answers_first)
        page = client.get(f"{HERE}/inbox/?message={message.pk}")
    assert "Until six" not in page.content.decode()
    reply = client.post(f"{HERE}/inbox/{message.pk}/answer/", {"text": "At six", "seen": page.context["pane"]["seen"]})
    assert reply.status_code == 422
    assert "Somebody answered meanwhile" in reply.content.decode()
    assert [answer.text for answer in Answer.objects.all()] == ["Until six"]


def test_done_goes_on_to_the_next_message_and_can_be_undone(
    signed_in: SignIn, say: Say, clock: Clock, chloe: Member
) -> None:
    below, message = say("below", said_at=clock.moment - timedelta(hours=1)), say("above")
    client = signed_in(chloe)
    page = client.get(f"{HERE}/inbox/?kind=reply&message={message.pk}")
    assert page.context["pane"]["next"] == below.pk
    reply = client.post(f"{HERE}/inbox/{message.pk}/done/?kind=reply", {"next": below.pk}, follow=True)
    assert reply.redirect_chain[-1][0] == f"{HERE}/inbox/?kind=reply&message={below.pk}"
    (note,) = reply.context["messages"]
    client.post(note.extra_tags.removeprefix("undo:"))
    message.refresh_from_db()
    assert message.state == "open"


def test_many_are_done_at_once_and_undone_at_once(signed_in: SignIn, say: Say, clock: Clock, chloe: Member) -> None:
    numbers = [say(f"m{number}").pk for number in range(5)]
    client = signed_in(chloe)
    reply = client.post(f"{HERE}/inbox/all/done/", {"ids": numbers[:3]}, follow=True)
    assert Message.objects.filter(state="done").count() == 3
    (note,) = reply.context["messages"]
    assert "3" in str(note)
    client.post(note.extra_tags.removeprefix("undo:"))
    assert not Message.objects.filter(state="done").exists()


def test_a_crowded_inbox_has_pages_and_asks_the_database_no_more_often(
    signed_in: SignIn, say: Say, clock: Clock, chloe: Member, django_assert_max_num_queries: Any
) -> None:
    for number in range(45):
        say(f"message {number}", said_at=clock.moment - timedelta(minutes=number))
    client = signed_in(chloe)
    assert len(listed(client)) == 40
    assert listed(client, "?page=2") == [f"message {number}" for number in range(40, 45)]
    first = Message.objects.order_by("-said_at")[0]
    with django_assert_max_num_queries(32):
        client.get(f"{HERE}/inbox/?message={first.pk}")


def test_a_picture_is_seen_by_those_who_read_the_inbox_only(
    signed_in: SignIn, say: Say, clock: Clock, chloe: Member, charlie: Member, picture: Callable[..., BytesIO]
) -> None:
    from regie.community.avatars import keep

    avatar = Avatar.objects.create(url="https://cdn.example/ana.png")
    say(author_avatar=avatar)
    path = f"/inbox/people/{avatar.pk}/"
    assert signed_in(chloe).get(HERE + path).status_code == 404  # not fetched yet
    assert keep(avatar, picture(640, 300, "PNG").getvalue())
    seen = signed_in(chloe).get(HERE + path)
    assert (seen.status_code, seen["Content-Type"]) == (200, "image/webp")
    assert seen.getvalue()[8:12] == b"WEBP"
    assert signed_in(charlie).get(f"/w/all{path}").status_code == 404
    avatar.refresh_from_db()
    default_storage.delete(avatar.picture)


def test_the_page_never_names_the_picture_of_another_host(
    signed_in: SignIn, say: Say, clock: Clock, chloe: Member
) -> None:
    message = say(
        "look",
        extra={"pictures": ["https://cdn.example/p.png"]},
        author_avatar=Avatar.objects.create(url="https://x/y"),
    )
    page = signed_in(chloe).get(f"{HERE}/inbox/?message={message.pk}").content.decode()
    assert "cdn.example" not in page
    assert "https://x/y" not in page


def test_what_people_write_is_text_and_never_markup(signed_in: SignIn, say: Say, clock: Clock, chloe: Member) -> None:
    message = say("<script>alert(1)</script>", author_name="<img src=x>")
    page = signed_in(chloe).get(f"{HERE}/inbox/?message={message.pk}").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x>" not in page


def test_the_inbox_speaks_french(signed_in: SignIn, say: Say, clock: Clock, chloe: Member) -> None:
    chloe.user.language = "fr"
    chloe.user.save()
    message = say()
    page = signed_in(chloe).get(f"{HERE}/inbox/?message={message.pk}").content.decode()
    assert "Boîte de réception" in page
    assert "Répondre" in page


def test_a_row_names_the_network_and_an_account_called_like_its_client_only_once(
    signed_in: SignIn, say: Say, clock: Clock, chloe: Member
) -> None:
    message = say()
    account = message.account
    account.name = account.workspace.name
    account.save()
    client = signed_in(chloe)
    page = " ".join(client.get("/w/all/inbox/").content.decode().split())
    assert f"· {account.in_full}</span>" in page
    account.name = "Atelier"
    account.save()
    page = " ".join(client.get("/w/all/inbox/").content.decode().split())
    assert f"· {account.in_full} · {account.workspace.name}</span>" in page


def test_an_upload_of_rubbish_as_a_picture_is_not_kept(clock: Clock, db: None) -> None:
    from regie.community.avatars import keep
    from regie.media.errors import NotAPicture

    avatar = Avatar.objects.create(url="https://cdn.example/evil.png")
    with pytest.raises(NotAPicture):
        keep(avatar, ContentFile(b"<html>not a picture</html>").read())


@pytest.mark.parametrize(
    ("network", "kind", "said"),
    [
        ("x", "reply", "X charges about $0.015 for this, $0.20 with a link in it."),
        ("x", "direct", "X charges about $0.015 for this."),
        ("mastodon", "reply", ""),
    ],
)
def test_what_an_answer_costs_is_said_before_it_is_sent(
    signed_in: SignIn,
    say: Say,
    make_account: Callable[..., Account],
    clock: Clock,
    chloe: Member,
    network: str,
    kind: str,
    said: str,
) -> None:
    message = say("Until when?", make_account(network, "Nord"), kind=kind)
    page = signed_in(chloe).get(f"{HERE}/inbox/?message={message.pk}").content.decode()
    assert (said in page) if said else ("charges about" not in page)
    assert "reply-form" in page
