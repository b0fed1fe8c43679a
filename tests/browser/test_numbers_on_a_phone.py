"""The pages of numbers, with numbers on them, are no wider than a phone, in the language with the longer words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from regie.accounts.models import Account
from regie.core.clock import now
from regie.core.times import WallTime
from regie.measure.models import Collection, Sample
from regie.people.models import Member
from regie.publishing import services
from regie.studio.models import Post

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("screens")]


def test_the_numbers_of_accounts_and_posts_fit_a_phone_in_french(
    open_page: Callable[..., Page],
    alice: Member,
    make_account: Callable[..., Account],
    write_post: Callable[..., Post],
) -> None:
    accounts = [make_account(network, "Atelier Nord") for network in ("facebook", "mastodon", "bluesky")]
    accounts[1].handle = "@atelier_nord@social.collectif-des-ateliers.example"  # with its server, as Mastodon's are
    accounts[1].save()
    at = WallTime.at(now() + timedelta(minutes=5), "Europe/Paris")
    for account in accounts:
        for days in range(3):
            Sample.objects.create(
                workspace=alice.workspace,
                account=account,
                metric="followers",
                value=12_345 + days,
                at=now() - timedelta(days=days),
            )
        (delivery,) = services.schedule(
            post=write_post("D'où vient une chemise ? Petit fil en trois étapes.", on=[account]), at=at, by=alice
        )
        read = {name: [number, now().isoformat()] for number, name in enumerate(("likes", "replies", "shares"), 1234)}
        Collection.objects.create(
            delivery=delivery, account=account, published_at=now() - timedelta(hours=1), latest=read, reactions=3705
        )
    page = open_page(alice, phone=True, language="fr")
    for where in ("numbers/", "/w/all/numbers/", f"numbers/accounts/{accounts[0].pk}/"):
        page.goto(where)
        expect(page.get_by_text("Petit fil en trois étapes").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0, where
