"""Fields of options in the composer: drawn from the declaration, read again, asked of the network, never forgotten."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.http import QueryDict
from django.test import Client

from regie.accounts.models import Account
from regie.networks import registry
from regie.networks.data import Draft
from regie.people.models import Member
from regie.studio import choices, forms
from regie.studio.content import Content
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Sandbox

SignIn = Callable[[Member], Client]
MakeAccount = Callable[..., Account]
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


def drawn(**more: Any) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, values in more.items():
        data.setlist(name.replace("__", "-"), values if isinstance(values, list) else [values])
    return data


def test_a_field_is_read_by_the_kind_it_was_drawn_as() -> None:
    markers = [
        "x:title:line",
        "x:tags:tags",
        "x:ai:switch",
        "x:notify:on",
        "7:board:choice",
        "7:lists:several",
        "x:no:line",
    ]
    data = drawn(
        s__options=markers,
        **{"s-opt-x-title": " Linen ", "s-opt-x-tags": "linen, wool;linen,", "s-opt-x-ai": "on"},
        **{"s-opt-7-board": "12", "s-opt-7-lists": ["a", "b"], "s-opt-x-other": "never drawn"},
    )
    assert forms.read_options(data, "s") == {
        "x": {"title": "Linen", "tags": ["linen", "wool"], "ai": True, "notify": False},
        "7": {"board": "12", "lists": ["a", "b"]},
    }


@pytest.mark.django_db
def test_a_set_of_fields_for_each_network_chosen(
    make_account: MakeAccount, alice: Member, signed_in: SignIn, write_post: Callable[..., Post]
) -> None:
    accounts = [make_account("facebook", "Nord"), make_account("facebook", "Sud"), make_account("mastodon")]
    post = write_post("Hello", on=accounts, by=alice, options={"facebook": {"link": "https://example.org/"}})
    page = signed_in(alice).get(f"/w/atelier-nord/posts/{post.pk}/edit/").content.decode()
    assert page.count("On Facebook") == 1
    assert 'value="https://example.org/"' in page
    assert "Title of the video" not in page  # there is none
    assert "On Mastodon" not in page


@pytest.mark.django_db
def test_what_is_not_drawn_is_kept(
    make_account: MakeAccount, alice: Member, signed_in: SignIn, write_post: Callable[..., Post]
) -> None:
    """The account is off the post for a while: what was chosen travels along, unseen."""
    chosen = {"facebook": {"link": "https://example.org/", "made_with_ai": True, "countries": ["FR", "BE"]}}
    post = write_post("Hello", on=[make_account("mastodon")], by=alice, options=chosen, first_comment="#linen")
    client = signed_in(alice)
    page = client.get(f"/w/atelier-nord/posts/{post.pk}/edit/").content.decode()
    assert "On Facebook" not in page
    client.post("/w/atelier-nord/posts/save/", dict(fields_of(page).lists()))
    post.refresh_from_db()
    assert post.document.options == chosen
    assert post.document.first_comment == "#linen"


def fields_of(page: str) -> QueryDict:
    """What a browser would send of the composer."""
    reader = Fields()
    reader.feed(page[page.index('<form id="composer"') :])
    return reader.data


class Fields(HTMLParser):
    """Inputs, chosen options and texts of a form."""

    def __init__(self) -> None:
        super().__init__()
        self.data = QueryDict(mutable=True)
        self.named, self.over = "", False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, kind = given.get("name") or "", given.get("type")
        if tag == "input" and name and not self.over and (kind not in ("checkbox", "radio") or "checked" in given):
            self.data.appendlist(name, given.get("value") or ("on" if kind == "checkbox" else ""))
        if tag in ("select", "textarea"):
            self.named = name
        if tag == "option" and "selected" in given and not self.over:
            self.data.appendlist(self.named, given.get("value") or "")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "textarea" and self.named and not self.over:
            self.data.appendlist(self.named, data.removeprefix("\n"))

    def handle_endtag(self, tag: str) -> None:
        self.named = "" if tag in ("select", "textarea") else self.named
        self.over = self.over or tag == "form"


@pytest.mark.django_db
def test_the_check_swaps_the_fields_only_when_others_are_offered(
    make_account: MakeAccount, alice: Member, signed_in: SignIn, write_post: Callable[..., Post]
) -> None:
    post = write_post("Hello", on=[make_account("facebook")], by=alice)
    client = signed_in(alice)
    data = fields_of(client.get(f"/w/atelier-nord/posts/{post.pk}/edit/").content.decode())
    same = client.post("/w/atelier-nord/posts/check/", dict(data.lists()), headers=HTMX).content.decode()
    assert 'id="s-beside"' not in same
    assert 'id="s-opt-facebook-link-left"' not in same  # a link has no counter of its own
    assert 'id="s-opt-facebook-countries-left"' not in same
    data.appendlist("account", str(make_account("instagram").pk))
    other = client.post("/w/atelier-nord/posts/check/", dict(data.lists()), headers=HTMX).content.decode()
    assert 'id="s-beside" class="beside" hx-swap-oob="true"' in other
    assert "On Instagram" in other
    assert 'id="s-tools"' not in other  # neither takes threads or polls
    data.appendlist("account", str(make_account("x").pk))
    third = client.post("/w/atelier-nord/posts/check/", dict(data.lists()), headers=HTMX).content.decode()
    assert 'value="add-part:s"' in third
    assert 'value="poll:s"' in third


@pytest.mark.django_db
def test_a_thread_and_a_poll_are_offered_where_an_account_of_the_post_takes_them(
    make_account: MakeAccount, alice: Member, signed_in: SignIn, write_post: Callable[..., Post]
) -> None:
    make_account("mastodon")  # another of the workspace takes both
    client = signed_in(alice)
    offered = client.get("/w/atelier-nord/posts/new/").text
    assert 'value="add-part:s"' in offered
    assert 'value="poll:s"' in offered
    post = write_post("Hello", on=[make_account("pinterest")], by=alice)
    page = client.get(f"/w/atelier-nord/posts/{post.pk}/edit/").text
    assert 'value="add-part:s"' not in page
    assert 'value="poll:s"' not in page


# Choices that only the network knows


@pytest.fixture
def ask(pinterest_account: Account, alice: Member, signed_in: SignIn) -> Callable[..., str]:
    """What the address of an asked option answers: ``ask("board", board="12")``."""
    client = signed_in(alice)

    def get(option: str, by: Client = client, **chosen: str) -> str:
        number = pinterest_account.pk
        data: dict[str, Any] = {"account": number, "option": option, "key": "s"}
        markers = [f"{number}:{name}:choice" for name in chosen]
        values = {f"s-opt-{number}-{name}": value for name, value in chosen.items()}
        answer = by.get("/w/atelier-nord/posts/choices/", {**data, "s-options": markers, **values})
        return answer.content.decode() if answer.status_code == 200 else str(answer.status_code)

    return get


pinned = pytest.mark.django_db(transaction=True)


@pinned
def test_boards_are_asked_of_the_network_and_remembered_for_a_while(
    pinterest: Sandbox, pinterest_account: Account, alice: Member, signed_in: SignIn, ask: Callable[..., str]
) -> None:
    field = ask("board")
    assert ">Ideas</option>" in field
    pinterest.will_answer(503, path="/boards")
    assert ">Ideas</option>" in ask("board")  # no question was asked


@pinned
def test_sections_depend_on_the_board(pinterest: Sandbox, pinterest_account: Account, ask: Callable[..., str]) -> None:
    board = pinterest.itself.ready_account()["options"]["board"]
    assert "Choose “Board” first." in ask("board_section")
    field = ask("board_section", board=board)
    assert ">Kitchen</option>" in field
    assert f"change from:#s-beside target:{{#s-opt-{pinterest_account.pk}-board," in field


@pinned
def test_while_the_network_is_away_the_choice_made_stays_and_it_can_be_asked_again(
    pinterest: Sandbox, ask: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "KEPT", 0)
    board = pinterest.itself.ready_account()["options"]["board"]
    ask("board")
    for _ in range(4):
        pinterest.will_answer(503, path="/boards")
    field = ask("board", board=board)
    assert "Try again" in field
    assert "Pinterest" in field
    assert f'<option value="{board}" selected>Ideas</option>' in field


@pinned
def test_an_account_that_needs_connecting_again_says_so(pinterest: Sandbox, ask: Callable[..., str]) -> None:
    assert pinterest.itself.expire_tokens()
    assert "Pinterest asks you to connect this account again." in ask("board")


@pinned
def test_only_those_who_may_write_ask_and_only_what_the_network_is_asked(
    charlie: Member, signed_in: SignIn, ask: Callable[..., str]
) -> None:
    assert ask("board", by=signed_in(charlie)) == "404"
    assert "<option" not in ask("nonsense")


@pinned
def test_without_a_script_a_button_brings_the_choices(
    pinterest: Sandbox, pinterest_account: Account, alice: Member, signed_in: SignIn, write_post: Callable[..., Post]
) -> None:
    post = write_post("Hello", on=[pinterest_account], by=alice)
    client = signed_in(alice)
    page = client.get(f"/w/atelier-nord/posts/{post.pk}/edit/").content.decode()
    do = f"choices:s:{pinterest_account.pk}:board"
    assert f'value="{do}"' in page
    data = fields_of(page)
    data["do"] = do
    answer = client.post("/w/atelier-nord/posts/arrange/", dict(data.lists()))
    assert ">Ideas</option>" in answer.content.decode()


def test_a_document_of_before_reads_as_it_did() -> None:
    before = {"parts": [{"text": "Hello", "media": []}], "content_warning": "", "sensitive": False, "language": ""}
    read = Content.model_validate(before)
    assert (read.options, read.first_comment) == ({}, "")


@pytest.mark.django_db
def test_what_a_network_charges_is_said_beside_the_button(
    make_account: MakeAccount, alice: Member, signed_in: SignIn, write_post: Callable[..., Post]
) -> None:
    accounts = [make_account("x", "Nord"), make_account("x", "Sud"), make_account("mastodon")]
    client, post = signed_in(alice), write_post("See https://example.org/linen", on=accounts, by=alice)
    address = f"/w/atelier-nord/posts/{post.pk}/edit/"
    each = registry.connector("x").price(Draft(text="See https://example.org/linen"))  # type: ignore[attr-defined]
    said = f"X charges about ${each * 2:.2f} for this post."
    assert said in client.get(address).content.decode()
    post.variants.filter(account=accounts[0]).update(by_hand=True)
    assert said not in client.get(address).content.decode()
    post.variants.filter(account__network="x").delete()
    assert "charges about" not in client.get(address).content.decode()
