"""Choices that depend on a line which all accounts of a network share: flairs of the community typed for Reddit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.test import Client

from regie.accounts.models import Account
from regie.people.models import Member
from regie.studio.models import Post
from regie_sandbox.reddit.state import Flair

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "/w/atelier-nord/posts"


def test_flairs_are_those_of_the_community_that_was_typed(
    reddit: Sandbox,
    connect: Callable[..., Account],
    alice: Member,
    signed_in: Callable[[Member], Client],
    write_post: Callable[..., Post],
) -> None:
    cache.clear()
    reddit.itself.ready_account()
    reddit.itself.community("regie_hq").flairs = [Flair("f1", "News"), Flair("f2", "Help")]
    account, client = connect(reddit), signed_in(alice)
    post = write_post("Hello", on=[account], by=alice, options={"reddit": {"title": "Linen"}})
    page = client.get(f"{HERE}/{post.pk}/edit/").text
    assert "Choose “Community” first." in page
    assert f"target:{{#s-opt-{account.pk}-community,#s-opt-reddit-community}}" in page  # one trigger

    asked = {"account": str(account.pk), "option": "flair", "key": "s", "s-options": "reddit:community:line"}
    field = client.get(f"{HERE}/choices/", {**asked, "s-opt-reddit-community": "r/regie_hq"}).text
    assert '<option value="f1">News</option>' in field
    assert '<option value="f2">Help</option>' in field
    nowhere = client.get(f"{HERE}/choices/", {**asked, "s-opt-reddit-community": "not a name"}).text
    assert "not the name of a community" in nowhere
