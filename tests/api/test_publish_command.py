"""``regie publish``: a post from the command line, and its receipt."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
from django.db import connection

from regie.accounts.models import Account
from regie.accounts.services import pause
from regie.cli.errors import Stop
from regie.cli.publish import find_account, publish
from regie.people.models import Member
from regie.publishing.models import Delivery
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def asked(account: Account | str, **more: Any) -> Namespace:
    given: dict[str, Any] = {
        "text": "",
        "media": [],
        "alt": [],
        "at": None,
        "zone": None,
        "user": None,
        "wait": 20.0,
        "json": False,
        "option": [],
        "first_comment": "",
    }
    name = str(account.pk) if isinstance(account, Account) else account
    return Namespace(account=name, **{**given, **more})


def test_without_a_publisher_it_sends_by_itself_and_prints_the_receipt(
    mastodon: Sandbox, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish(asked(account, text="Good morning")) == 0
    said = capsys.readouterr().out
    assert mastodon.texts() == ["Good morning"]
    assert "published" in said
    assert "latency" in said
    assert mastodon.base in said


def test_options_and_a_first_comment_go_with_it(
    facebook: Sandbox, facebook_account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["link=https://example.org/a?b=c", "countries=FR, BE"]
    assert publish(asked(facebook_account, text="Good morning", option=options, first_comment="#linen")) == 0
    (post,) = facebook.itself.state.posts.values()
    assert (post.link, post.countries) == ("https://example.org/a?b=c", ["FR", "BE"])
    assert [one.message for one in facebook.itself.state.comments.values()] == ["#linen"]
    for wrong, said in (("title", "NAME=VALUE"), ("colour=teal", "Facebook has no option “colour”.")):
        with pytest.raises(Stop, match=said):
            publish(asked(facebook_account, text="Good evening", option=[wrong]))


def test_pictures_go_with_their_alternative_texts(
    mastodon: Sandbox,
    account: Account,
    picture: Callable[..., BytesIO],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "spring.jpg"
    file.write_bytes(picture().getvalue())
    assert publish(asked(account, text="Spring", media=[file], alt=["A coat"], json=True)) == 0
    receipt = json.loads(capsys.readouterr().out)
    assert receipt["steps"][0]["content"]["media"][0]["alt"] == "A coat"
    assert receipt["state"] == "published"


def test_a_later_time_is_planned_and_not_waited_for(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish(asked(account, text="Later", at="2099-03-01T09:15", json=True)) == 0
    receipt = json.loads(capsys.readouterr().out)
    assert (receipt["state"], receipt["due_at"], receipt["zone"]) == (
        "scheduled",
        "2099-03-01T08:15:00Z",
        "Europe/Paris",
    )


def test_a_refusal_ends_with_three_and_the_sentence(
    mastodon: Sandbox, account: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    mastodon.will_answer(422, method="POST", path="statuses", body={"error": "Validation failed: no shouting"})
    assert publish(asked(account, text="HELLO")) == 3
    said = capsys.readouterr()
    assert "refused" in said.out
    assert "no shouting" in said.err


def test_what_cannot_go_out_is_said_and_nothing_is_kept(account: Account, alice: Member) -> None:
    with pytest.raises(Stop, match="too long"):
        publish(asked(account, text="x" * 600))
    pause(account=account, by=alice)
    with pytest.raises(Stop, match="paused"):
        publish(asked(account, text="Hello"))
    assert not Post.objects.exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"at": "tomorrow"}, "wall-clock"),
        ({"at": "2099-03-01T09:15+01:00"}, "wall-clock"),
        ({"at": "2099-03-01T09:15", "zone": "Mars/Olympus"}, "time zone"),
        ({"at": "2001-03-01T09:15"}, "passed"),
        ({"media": [Path("/nowhere/at-all.jpg")]}, "cannot be read"),
        ({"alt": ["Too many"]}, "--alt"),
        ({"user": "nobody@example.org"}, "seat"),
    ],
)
def test_a_command_that_makes_no_sense_is_told_what_to_do(
    account: Account, more: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Stop, match=sentence):
        publish(asked(account, **{"text": "Hello", **more}))
    assert not Delivery.objects.exists()


def test_the_member_who_publishes_can_be_named_and_needs_the_role(
    mastodon: Sandbox, account: Account, bob: Member, seat: Callable[..., Member]
) -> None:
    assert publish(asked(account, text="By Bob", user="BOB@example.org")) == 0
    assert Post.objects.get().author == bob.user
    seat("Gaël", "guest")
    with pytest.raises(Stop, match="role"):
        publish(asked(account, text="By Gaël", user="gaël@example.org"))


def test_an_account_is_found_by_number_handle_or_name(make_account: Callable[..., Account]) -> None:
    first, second = make_account(name="Nord"), make_account("bluesky", "Nord")
    for account, handle in ((first, "@nord"), (second, "nord.test")):
        Account.objects.filter(pk=account.pk).update(handle=handle)
    assert find_account(str(second.pk)) == second
    assert find_account("@NORD") == find_account("nord") == first
    assert find_account("nord.test") == second
    third = make_account("telegram", "Nord")
    Account.objects.filter(pk=first.pk).update(handle="@other")
    with pytest.raises(Stop, match=rf"{second.pk}.*{third.pk}"):
        find_account("Nord")
    with pytest.raises(Stop, match="no account"):
        find_account("south")


def test_a_question_mark_lists_the_accounts(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish(asked("?")) == 0
    assert account.name in capsys.readouterr().out
    assert publish(asked("?", json=True)) == 0
    assert json.loads(capsys.readouterr().out)["accounts"][0]["id"] == account.pk


def test_the_text_comes_from_standard_input(
    mastodon: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("From a pipe\n"))
    assert publish(asked(account, text="-")) == 0
    assert mastodon.texts() == ["From a pipe"]


def test_the_command_itself_from_start_to_end(mastodon: Sandbox, account: Account) -> None:
    there = connection.settings_dict
    parts = f"{quote(there['USER'])}:{quote(there['PASSWORD'])}@" if there["USER"] else ""
    where = f"postgresql://{parts}/{there['NAME']}?host={quote(there['HOST'], safe='')}"
    where += f"&port={there['PORT']}" if there["PORT"] else ""
    environment = {
        **os.environ,
        "DATABASE_URL": where,
        "REGIE_ALLOWED_HOSTS_OUT": urlsplit(mastodon.base).netloc,
    }
    done = subprocess.run(
        [sys.executable, "-m", "regie.cli", "publish", "--account", str(account.pk), "--text", "Whole", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["state"] == "published"
    assert mastodon.texts() == ["Whole"]
