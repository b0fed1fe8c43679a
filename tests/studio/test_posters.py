"""Who posts, what is agreed to, and what goes with what: options that say more than their value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.http import QueryDict
from django.test import Client

from regie.accounts.models import Account
from regie.networks import registry
from regie.networks.capabilities import Choice, Clash, Link, Option, OptionKind, Saying
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio import beside, forms, options, posters
from regie.studio.checks import why_not
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Sandbox

SignIn = Callable[[Member], Client]
HTMX = {"HX-Request": "true"}
WHO = Option(
    name="privacy",
    kind=OptionKind.CHOICE,
    label="Who may see it",
    choices=(Choice("all", "Everybody"), Choice("me", "Only us")),
)
PROMOTES = Option(name="promotes", kind=OptionKind.SWITCH, label="It promotes", needs_one="Say what it promotes.")
OURS = Option(
    name="ours",
    kind=OptionKind.SWITCH,
    label="Us",
    within="promotes",
    sayings=(
        Saying(when=(("ours", True), ("theirs", True)), help="Paid."),
        Saying(when=(("ours", True),), help="Ours."),
    ),
)
THEIRS = Option(
    name="theirs",
    kind=OptionKind.SWITCH,
    label="Others",
    within="promotes",
    clashes=(Clash(value=True, option="privacy", its="me", said="What is paid for is never private."),),
)
AGREED = Option(
    name="agreed",
    kind=OptionKind.SWITCH,
    label="I agree to the {rules}.",
    links=(Link(name="rules", words="Rules", url="https://example.org/rules"),),
    required=True,
    last=True,
)
CLOSED = Option(name="duet", kind=OptionKind.SWITCH, label="Duet", closed="The account does not allow it.")
ALL = (WHO, PROMOTES, OURS, THEIRS, AGREED, CLOSED)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def composed(
    monkeypatch: pytest.MonkeyPatch,
    make_account: Callable[..., Account],
    write_post: Callable[..., Post],
    alice: Member,
    signed_in: SignIn,
) -> Callable[..., tuple[Post, str]]:
    """A post on an account of a network with these options: the post, and its composer's page."""
    kind = registry.connector("mastodon")
    can = replace(kind.can, options=ALL, note="It takes a few minutes.")
    monkeypatch.setattr(kind, "can_on", classmethod(lambda cls, limits: can))
    account, client = make_account("mastodon"), signed_in(alice)

    def compose(**chosen: Any) -> tuple[Post, str]:
        post = write_post("Hello", on=[account], by=alice, options={"mastodon": chosen} if chosen else {})
        return post, client.get(f"/w/atelier-nord/posts/{post.pk}/edit/").content.decode()

    return compose


Composed = Callable[..., tuple[Post, str]]


def stops(post: Post) -> list[str]:
    return why_not(post.variants.get())


def switch(page: str, name: str) -> str:
    """The checkbox of an option."""
    at = page.index(f'id="s-opt-mastodon-{name}" name=')
    return page[page.rindex("<input", 0, at) : page.index(">", at)]


@pytest.mark.django_db
def test_what_goes_with_nothing_else_is_barred_and_says_why(composed: Composed) -> None:
    post, page = composed(agreed=True, privacy="me")
    assert stops(post) == []
    assert " disabled" in switch(page, "theirs")
    assert "What is paid for is never private." in page
    post, page = composed(agreed=True, theirs=True)
    assert '<option value="me" disabled title="What is paid for is never private.">' in page
    assert " disabled" not in switch(page, "theirs")
    post, page = composed(agreed=True, theirs=True, privacy="me")
    assert stops(post) == ["What is paid for is never private."]
    assert " disabled" not in switch(page, "theirs")  # one of the two has to go: both can be changed


@pytest.mark.django_db
def test_a_switch_with_nothing_chosen_under_it_holds_the_post_back(composed: Composed) -> None:
    post, page = composed(agreed=True, promotes=True)
    assert stops(post) == ["Say what it promotes."]
    assert 'data-undecided="Say what it promotes."' in page
    post, page = composed(agreed=True, ours=True)  # as a program may say it
    assert stops(post) == []
    assert " checked" in switch(page, "promotes")
    assert "data-undecided" not in page


@pytest.mark.django_db
def test_what_an_option_says_follows_the_others(composed: Composed) -> None:
    assert "Ours." in composed(ours=True)[1]
    page = composed(ours=True, theirs=True)[1]
    assert "Paid." in page
    assert "Ours." not in page


@pytest.mark.django_db
def test_what_is_agreed_to_stands_above_the_buttons_with_its_links(composed: Composed) -> None:
    post, page = composed()
    label = 'I agree to the <a href="https://example.org/rules" target="_blank" rel="noopener noreferrer">Rules</a>.'
    declared, dialog = page.split('id="publish-now-declared"')
    assert label in declared[declared.index('id="declarations"') :]
    assert label in dialog
    assert "I agree" not in declared[declared.index('id="s-beside"') : declared.index('id="declarations"')]
    assert "It takes a few minutes." in declared
    assert stops(post) == ["Mastodon needs “I agree to the Rules.”: switch it on."]


@pytest.mark.django_db
def test_what_the_account_cannot_use_is_grey_and_refused(composed: Composed) -> None:
    post, page = composed(agreed=True, duet=True)
    assert " disabled" in switch(page, "duet")
    assert " checked" not in switch(page, "duet")
    assert stops(post) == ["“Duet” cannot be used on Mastodon. The account does not allow it."]


def test_what_stands_under_a_switch_that_is_off_is_not_meant() -> None:
    data = QueryDict(mutable=True)
    data.setlist("s-options", ["x:promotes:switch", "x:ours:switch:promotes"])
    data["s-opt-x-ours"] = "on"
    assert forms.read_options(data, "s") == {}
    data["s-opt-x-promotes"] = "on"
    assert forms.read_options(data, "s") == {"x": {"promotes": True, "ours": True}}


def test_words_in_a_label_are_no_markup() -> None:
    link = Link(name="rules", words="<b>", url='https://example.org/?a=1&b="')
    drawn = options.label_with_links(replace(AGREED, links=(link,)))
    assert "<b>" not in drawn
    assert 'href="https://example.org/?a=1&amp;b=&quot;"' in drawn


# Who posts


@pytest.fixture
def account(tiktok: Sandbox, connect: Callable[..., Account]) -> Account:
    return connect(tiktok)


asked = pytest.mark.django_db(transaction=True)


@asked
def test_who_posts_is_asked_once_and_what_it_may_do_is_kept(
    tiktok: Sandbox, account: Account, alice: Member, signed_in: SignIn
) -> None:
    client, address = signed_in(alice), f"/w/atelier-nord/posts/poster/?account={account.pk}&key=s"
    answer = client.get(address, headers=HTMX)
    user = tiktok.itself.known_as(None)
    assert f"<strong>{user.name}</strong> <span>@{user.username}</span>" in answer.content.decode()
    assert "HX-Trigger" not in answer.headers  # nothing is new
    user.switched_off = ["comment"]
    assert not posters.ask(account).news  # it was asked a moment ago
    cache.clear()
    assert client.get(address, headers=HTMX).headers["HX-Trigger"] == "check"
    account.refresh_from_db()
    assert account.limits["switched_off"] == ["comment_disabled"]


@asked
def test_an_account_that_can_post_nothing_now_publishes_nothing_now(
    tiktok: Sandbox, account: Account, alice: Member, signed_in: SignIn, write_post: Callable[..., Post]
) -> None:
    tiktok.itself.posts_a_day = 0
    client = signed_in(alice)
    shown = client.get(f"/w/atelier-nord/posts/poster/?account={account.pk}&key=s").content.decode()
    said = "TikTok takes no more posts of this account today."
    assert said in shown
    post = write_post("Hello", on=[account], by=alice)
    form = {"post": post.pk, "version": post.version, "account": account.pk, "s-parts": 1, "s-0-text": "Hello"}
    answer = client.post("/w/atelier-nord/posts/publish/", form)
    assert said in answer.content.decode()
    assert not Delivery.objects.exists()


@asked
def test_while_the_network_is_away_what_was_known_is_shown(
    tiktok: Sandbox, account: Account, alice: Member, signed_in: SignIn
) -> None:
    for _ in range(4):
        tiktok.will_answer(503, path="creator_info")
    shown = signed_in(alice).get(f"/w/atelier-nord/posts/poster/?account={account.pk}&key=s").content.decode()
    assert f"<strong>{account.name}</strong>" in shown
    assert "as it was last known" in shown
    assert posters.known(account).poster is None


@asked
def test_only_those_who_write_there_learn_who_posts(
    account: Account, make_account: Callable[..., Account], alice: Member, charlie: Member, signed_in: SignIn
) -> None:
    address = "/w/atelier-nord/posts/poster/"
    assert signed_in(charlie).get(address, {"account": account.pk}).status_code == 404
    other = make_account("mastodon", "Nord")  # its network asks for no such thing, and has no address here
    answer = signed_in(alice).get(address, {"account": other.pk})
    assert "<strong>Nord</strong>" in answer.content.decode()


def test_options_of_accounts_that_differ_are_those_that_all_have() -> None:
    other = replace(WHO, choices=(Choice("me", "Only us"),), closed="Not here.")
    common = beside._common([WHO, other])
    assert [choice.value for choice in common.choices] == ["me"]
    assert common.closed == "Not here."
