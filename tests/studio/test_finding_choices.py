"""Choices that are too many to list: a person types a part of a name, and the network finds some."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.test import Client

from regie.accounts.models import Account
from regie.accounts.opening import seal_credentials
from regie.people.models import Member
from regie.studio.models import Post
from regie_sandbox.instagram.state import Product

if TYPE_CHECKING:
    from tests.conftest import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)
HERE = "/w/atelier-nord/posts"
SHOPPING = ("instagram_shopping_tag_products", "catalog_management")


@pytest.fixture
def seller(instagram: Sandbox, connect: Callable[..., Account]) -> Account:
    """An account that sells, connected through Facebook."""
    cache.clear()
    net = instagram.itself
    net.open_shop("regie", Product("3859448971", "Linen shirt"), Product("3859448972", "Wool hat"))
    facebook, account = net.ready_account()["facebook"], connect(instagram)
    account.server = facebook["server"]
    account.limits |= {**facebook["limits"], "login": "facebook", "products": "ready"}
    seal_credentials(account, {**facebook["credentials"], "user_token": net.token_of_person("regie", *SHOPPING)})
    account.save()
    return account


def asked(account: Account, **more: str) -> dict[str, str]:
    return {"account": str(account.pk), "option": "products", "key": "s", **more}


def test_products_are_looked_for_by_their_name_and_keep_it(
    seller: Account, alice: Member, signed_in: Callable[[Member], Client], write_post: Callable[..., Post]
) -> None:
    client = signed_in(alice)
    post = write_post("New in", on=[seller], by=alice)
    page = client.get(f"{HERE}/{post.pk}/edit/").text
    find = f"s-opt-{seller.pk}-products-find"
    assert f'name="{find}"' in page
    assert "Linen shirt" not in page  # nothing is asked before somebody looks for something

    field = client.get(f"{HERE}/choices/", asked(seller, **{find: "linen"})).text
    assert 'value="3859448971"' in field
    assert "Linen shirt" in field
    assert "Wool hat" not in field
    assert f'name="{find}" value="linen"' in field
    assert "knows nothing of that name" in client.get(f"{HERE}/choices/", asked(seller, **{find: "silk"})).text

    chosen = {"s-options": f"{seller.pk}:products:several", f"s-opt-{seller.pk}-products": "3859448971"}
    other = client.get(f"{HERE}/choices/", asked(seller, **chosen, **{find: "wool"})).text
    assert "Wool hat" in other
    assert 'value="3859448971" checked' in other
    assert "Linen shirt" in other  # what was chosen stays, by its name


def test_an_account_that_may_not_says_what_to_do_and_offers_no_search(
    seller: Account, alice: Member, signed_in: Callable[[Member], Client], write_post: Callable[..., Post]
) -> None:
    del seller.limits["products"]
    seller.save()
    post = write_post("New in", on=[seller], by=alice)
    page = signed_in(alice).get(f"{HERE}/{post.pk}/edit/").text
    assert "first switches products on" in page
    assert f"s-opt-{seller.pk}-products-find" not in page
