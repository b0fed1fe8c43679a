"""What the preview shows beside the text: titles, addresses, signs and lines, as each network declares them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.media.models import File
from regie.people.models import Member
from regie.studio.content import Content
from regie.studio.models import Post
from regie.studio.options import Seen, seen

PRIVATE = {"privacy": "PUBLIC_TO_EVERYONE"}


def seen_on(network: str, chosen: dict[str, Any], *, kind: str = "", own: bool = False) -> Seen:
    """As readers see it on an account: ``own``: chosen for that account, and not for its network."""
    account = Account(pk=17, network=network)
    media = [{"file": 3}] if kind else []
    where = "17" if own else network
    content = Content.model_validate({"parts": [{"text": "Linen", "media": media}], "options": {where: chosen}})
    files = {3: File(pk=3, kind=kind)} if kind else {}
    return seen(content, account, capabilities_of(account), files)


@pytest.mark.parametrize(
    ("network", "chosen", "kind", "expected"),
    [
        ("youtube", {"title": "A walk"}, "video", Seen(title="A walk")),
        (
            "youtube",
            {"title": "A walk", "paid_partnership": True},
            "video",
            Seen("A walk", "", ("Includes paid promotion",)),
        ),
        ("reddit", {"title": "Teal", "nsfw": True, "spoiler": True}, "", Seen("Teal", "", ("NSFW", "Spoiler"))),
        ("reddit", {"title": "Teal", "spoiler": False}, "", Seen("Teal")),
        (
            "pinterest",
            {"title": "Coat", "link": "https://example.org/"},
            "picture",
            Seen("Coat", "https://example.org/"),
        ),
        ("instagram", {"collaborators": ["a", "b"]}, "picture", Seen(lines=(("Collaborators", "a, b"),))),
        ("tiktok", {**PRIVATE, "own_brand": True}, "video", Seen(marks=("Promotional content",))),
        (
            "tiktok",
            {**PRIVATE, "own_brand": True, "paid_partnership": True},
            "video",
            Seen(marks=("Paid partnership",)),
        ),
        ("tiktok", {**PRIVATE, "title": "Two windows"}, "video", Seen()),  # titles are for photos there
        ("tiktok", {**PRIVATE, "title": "Two windows"}, "picture", Seen(title="Two windows")),
        (
            "google_business",
            {"topic": "event", "title": "Open day", "starts": "2030-03-09T10:00", "button": "call"},
            "",
            Seen("Open day", "", ("Call now",), (("It begins", "9 Mar 2030, 10:00"),)),
        ),
        ("mastodon", {}, "", Seen()),
    ],
)
def test_readers_see_what_their_network_shows(network: str, chosen: dict[str, Any], kind: str, expected: Seen) -> None:
    assert seen_on(network, chosen, kind=kind) == expected


def test_what_was_chosen_for_one_account_is_seen_there() -> None:
    assert seen_on("reddit", {"title": "Only here"}, own=True).title == "Only here"


def test_what_readers_do_not_see_is_not_shown() -> None:
    """Who can see it, who may comment, tags and the consent are between us and the network."""
    chosen = {"privacy": "SELF_ONLY", "allow_comments": True, "consent": True, "add_music": True}
    assert seen_on("tiktok", chosen, kind="picture") == Seen()


@pytest.mark.django_db
@pytest.mark.parametrize("network", ["reddit", "youtube", "pinterest", "facebook"])
def test_the_preview_draws_them(
    network: str,
    make_account: Callable[..., Account],
    alice: Member,
    signed_in: Callable[[Member], Client],
    write_post: Callable[..., Post],
) -> None:
    account = make_account(network)
    chosen = {"facebook": {"link": "https://example.org/coat"}}.get(network, {"title": "The <coat>"})
    post = write_post("Hello", on=[account], by=alice, options={network: chosen})
    page = signed_in(alice).get(f"/w/atelier-nord/posts/{post.pk}/edit/").content.decode()
    preview = page[page.index('id="preview-title"') :]
    assert ("https://example.org/coat" if network == "facebook" else "The &lt;coat&gt;") in preview
    assert "The <coat>" not in preview
