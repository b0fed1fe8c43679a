"""What is wrong with the options of a post, its first comment and its quiz, said before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from regie.accounts.models import Account
from regie.media.models import File
from regie.networks import registry
from regie.networks.capabilities import Choice, Format, Option, OptionKind, PollLimit, TextLimit
from regie.people.models import Workspace
from regie.studio import checks
from regie.studio.checks import Level
from regie.studio.content import Content, MediaUse, Part

MakeAccount = Callable[..., Account]


def stops(content: Content, account: Account, files: checks.Files | None = None, by_hand: bool = False) -> list[str]:
    found = checks.look_at(content, account, files or {}, by_hand=by_hand)
    return [finding.said for finding in found if finding.level is Level.STOP]


def saying(text: str = "Hello", **more: Any) -> Content:
    return Content.model_validate({"parts": [{"text": text}], **more})


@pytest.fixture
def declares(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets Mastodon declare these options: ``declares(Option(...))``."""

    def declare(*options: Option, **more: Any) -> None:
        kind = registry.connector("mastodon")
        can = replace(kind.can, options=options, **more)
        monkeypatch.setattr(kind, "can_on", classmethod(lambda cls, limits: can))

    return declare


TITLE = Option(name="title", kind=OptionKind.LINE, label="Title", required=True, longest=10)
TAGS = Option(name="tags", kind=OptionKind.TAGS, label="Tags", most=2, longest=6, total=9)
WHO = Option(
    name="privacy",
    kind=OptionKind.CHOICE,
    label="Who may see it",
    required=True,
    choices=(Choice("public", "Everybody"), Choice("private", "Only us")),
)
BOARD = Option(name="board", kind=OptionKind.CHOICE, label="Board", asked=True)
CONSENT = Option(name="consent", kind=OptionKind.SWITCH, label="I agree", required=True)
LINK = Option(name="link", kind=OptionKind.LINK, label="Link")
STARTS = Option(name="starts", kind=OptionKind.MOMENT, label="It begins")


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        (TITLE, None, "Mastodon needs “Title”: fill it in."),
        (TITLE, "  ", "Mastodon needs “Title”: fill it in."),
        (TITLE, "Linen shirts", "“Title” for Mastodon is 2 characters too long."),
        (TITLE, ["Linen"], "“Title” for Mastodon is of another kind."),
        (TITLE, "Linen", None),
        (TAGS, ["one", "two", "six"], "Mastodon takes at most 2 in “Tags”; there are 3."),
        (TAGS, ["summers"], "“summers” in “Tags” for Mastodon is 1 character too long."),
        (TAGS, ["linen", "wool"], "“Tags” for Mastodon is 1 character too long in all."),
        (TAGS, ["one", "two"], None),
        (STARTS, "tomorrow", "“It begins” for Mastodon is no day with an hour: write it as 2030-03-01T18:00."),
        (STARTS, "2030-03-01T18:00", None),
        (WHO, None, "Mastodon needs “Who may see it”: choose one."),
        (WHO, "friends", "Mastodon does not have what you chose for “Who may see it”."),
        (WHO, "private", None),
        (BOARD, "whatever-the-network-said", None),
        (CONSENT, False, "Mastodon needs “I agree”: switch it on."),
        (CONSENT, True, None),
        (LINK, "example.org", "“Link” for Mastodon is no address: it begins with https://."),
        (LINK, "javascript:alert(1)", "“Link” for Mastodon is no address: it begins with https://."),
        (LINK, "https://example.org/linen", None),
    ],
)
def test_an_option_is_held_against_its_declaration(
    make_account: MakeAccount, declares: Callable[..., None], option: Option, value: Any, said: str | None
) -> None:
    declares(option)
    content = saying(options={"mastodon": {option.name: value}} if value is not None else {})
    wanted = [said] if said else []
    if option is TAGS and said and "at most" in said:
        wanted.append("“Tags” for Mastodon is 2 characters too long in all.")
    assert stops(content, make_account()) == wanted


def test_an_option_of_another_format_or_without_its_file_is_not_asked_for(
    make_account: MakeAccount, declares: Callable[..., None]
) -> None:
    declares(replace(TITLE, only_with="video"), replace(WHO, formats=(Format.STORY,)))
    assert stops(saying(), make_account()) == []


def test_what_is_chosen_to_begin_with_needs_no_choice(make_account: MakeAccount, declares: Callable[..., None]) -> None:
    declares(replace(WHO, default="public"))
    assert stops(saying(), make_account()) == []


def test_an_account_s_own_choice_goes_before_that_of_its_network(
    make_account: MakeAccount, declares: Callable[..., None]
) -> None:
    declares(TITLE)
    account = make_account()
    both = {"mastodon": {"title": "Far too long a title"}, str(account.pk): {"title": "Linen"}}
    assert stops(saying(options=both), account) == []
    assert stops(saying(options=both), make_account()) == ["“Title” for Mastodon is 10 characters too long."]


def test_what_a_program_named_wrong_is_named_back(make_account: MakeAccount) -> None:
    account = make_account("facebook")
    wrong = {"facebook": {"colour": "teal"}, "myspace": {"title": "Hello"}}
    assert stops(saying(options=wrong), account) == [
        "Facebook has no option “colour”.",
        "There is no network “myspace”, for which options are set.",
    ]


def test_options_of_another_network_stop_nothing(make_account: MakeAccount) -> None:
    assert stops(saying(options={"facebook": {"countries": ["France"]}}), make_account()) == []


def test_a_title_alone_is_something_to_publish(make_account: MakeAccount, declares: Callable[..., None]) -> None:
    declares(TITLE, WHO)
    assert stops(saying("", options={"mastodon": {"title": "Linen", "privacy": "public"}}), make_account()) == []
    said = stops(saying("", options={"mastodon": {"privacy": "public"}}), make_account())
    assert "nothing to publish" in said[0]


def test_what_only_the_connector_knows_is_said_too(make_account: MakeAccount, workspace: Workspace) -> None:
    file = File.objects.create(
        workspace=workspace,
        name="a.jpg",
        content_type="image/jpeg",
        size=9000,
        width=800,
        height=600,
        sha256="a",
        alt="A",
    )
    content = Content(
        parts=[Part(text="#a " * 31, media=[MediaUse(file=file.pk)])], options={"instagram": {"place": "Paris"}}
    )
    assert stops(content, make_account("instagram"), {file.pk: file}) == [
        "Instagram takes at most 30 words with # in a text.",
        "The place on Instagram is a number.",
    ]


def test_by_hand_an_option_is_advice_only(make_account: MakeAccount, declares: Callable[..., None]) -> None:
    declares(TITLE)
    assert stops(saying(), make_account(), by_hand=True) == []


@pytest.mark.parametrize(
    ("takes", "words", "said"),
    [
        (False, "#linen", "Mastodon takes no first comment here: take it out for this account."),
        (True, "#linen", None),
        (True, "a" * 21, "The first comment is 1 character too long."),
    ],
)
def test_a_first_comment_needs_comments_of_our_own(
    make_account: MakeAccount, declares: Callable[..., None], takes: bool, words: str, said: str | None
) -> None:
    declares(first_comment=takes, comment=TextLimit(longest=20))
    assert stops(saying(first_comment=words), make_account()) == ([said] if said else [])


@pytest.mark.parametrize(
    ("quiz", "poll", "said"),
    [
        (True, {"correct": 1, "explanation": "It breathes."}, None),
        (True, {"correct": 2}, "The right answer of the quiz is none of its answers: choose one."),
        (True, {"correct": 0, "multiple": True}, "A quiz has one right answer: people cannot choose several."),
        (True, {"correct": 0, "explanation": "a" * 201}, "The explanation of the quiz is 1 character too long."),
        (False, {"correct": 0}, "Mastodon has no quizzes: choose no right answer for this account."),
    ],
)
def test_a_quiz_has_one_right_answer_where_the_network_has_quizzes(
    make_account: MakeAccount,
    declares: Callable[..., None],
    quiz: bool,
    poll: dict[str, Any],
    said: str | None,
) -> None:
    limit = PollLimit(most_options=4, longest_option=50, multiple=True, quiz=quiz, longest_explanation=200)
    declares(poll=limit)
    content = saying("Linen or wool?", poll={"options": ["Linen", "Wool"], **poll})
    assert stops(content, make_account()) == ([said] if said else [])
