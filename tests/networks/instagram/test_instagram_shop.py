"""Products of the shop: found by their name, marked in pictures and videos, and closed where Meta does not let us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from regie.networks.capabilities import Choice, Format
from regie.networks.data import AppKeys, Draft, Login, Published
from regie.networks.errors import Refused
from regie.networks.instagram.connector import Instagram as Connector
from regie_sandbox.instagram.app import Instagram
from regie_sandbox.instagram.state import Product

from .posting import prepared, saying

Make = Callable[..., Any]
SHOPPING = ("instagram_shopping_tag_products", "catalog_management")
LINEN, CAP, OLD = "3859448974125379", "3859448974125380", "3859448974125390"
BLUE = "3859448974125381"


@pytest.fixture
async def seller(http: aiohttp.ClientSession, instagram: Instagram) -> Connector:
    """Connected through Facebook by somebody who may speak of the account's shop."""
    instagram.open_shop(
        "regie", Product(LINEN, "Linen shirt", variants={BLUE: "Blue"}), Product(CAP, "Linen cap", "pending"),
        Product(OLD, "Linen bag", "rejected"),
    )  # fmt: skip
    return await selling(http, instagram, *SHOPPING)


async def selling(http: aiohttp.ClientSession, instagram: Instagram, *scopes: str) -> Connector:
    ready = instagram.ready_account()
    given = ready["facebook"]
    login = Login(
        server=given["server"],
        remote_id=ready["remote_id"],
        credentials={**given["credentials"], "user_token": instagram.token_of_person("regie", *scopes)},
        app=AppKeys(client_id=ready["client_id"], client_secret=ready["client_secret"]),
        limits=given["limits"],
    )
    profile = await Connector(http, login).whoami()
    return Connector(http, Login(
        server=login.server, remote_id=login.remote_id, credentials=login.credentials, app=login.app,
        limits=profile.limits,
    ))  # fmt: skip


async def on_the_network(http: aiohttp.ClientSession, instagram: Instagram, media: str) -> list[dict[str, Any]]:
    """The tags of a post, as the vendor's own address shows them."""
    token = instagram.token_of_person("regie", *SHOPPING)
    async with http.get(f"{instagram.base}/facebook/v25.0/{media}/product_tags?access_token={token}") as reply:
        return list((await reply.json())["data"])


async def test_products_are_found_by_a_part_of_their_name_with_their_variants(seller: Connector) -> None:
    assert await seller.search("products", "linen") == (
        Choice(LINEN, "Linen shirt"),
        Choice(BLUE, "Linen shirt · Blue"),
        Choice(CAP, "Linen cap"),  # Meta still looks at it: the mark shows once it has
    )
    assert await seller.search("products", "wool") == ()


async def test_products_are_marked_side_by_side_in_a_picture_and_can_be_read_back(
    instagram: Instagram, seller: Connector, http: aiohttp.ClientSession, picture: Make
) -> None:
    what = saying("New in", pictures=(picture(),), options={"products": (LINEN, CAP)})
    published = await seller.commit(what, await prepared(seller, what))
    assert isinstance(published, Published)
    tags = await on_the_network(http, instagram, published.remote_id)
    assert [(str(tag["product_id"]), tag["x"], tag["y"]) for tag in tags] == [(LINEN, 0.333, 0.8), (CAP, 0.667, 0.8)]
    assert [entry.text for entry in instagram.world.ledger.entries] == ["New in"]


async def test_of_several_the_first_picture_has_them_and_a_video_gives_them_no_place(
    instagram: Instagram, seller: Connector, picture: Make, video: Make
) -> None:
    chosen = {"products": (BLUE,)}
    both = saying("Two", videos=(video(place=0),), pictures=(picture(place=1),), options=chosen)
    reel = saying("One", key="k2", videos=(video("b"),), format=Format.SHORT, options=chosen)
    films = saying("Films", key="k3", videos=(video("c", place=0), video("d", place=1)), options=chosen)
    for what in (both, reel, films):
        published = await seller.commit(what, await prepared(seller, what))
        assert isinstance(published, Published)
    made = list(instagram.state.containers.values())
    placed = {"product_id": BLUE, "x": 0.5, "y": 0.8}
    assert [one.products for one in made if one.child] == [[], [placed], [{"product_id": BLUE}], []]
    assert [one.products for one in made if not one.child] == [[], [{"product_id": BLUE}], []]


def test_what_has_to_be_done_first_is_said_and_the_accounts_own_login_has_no_products() -> None:
    def offered(**limits: Any) -> dict[str, str]:
        return {one.name: one.closed for one in Connector.can_on(limits).options}

    assert "products" not in offered(login="instagram")
    assert "operator of Régie first switches products on" in offered(login="facebook")["products"]
    assert "has no shop" in offered(login="facebook", products="no_shop")["products"]
    assert "connect this account again" in offered(login="facebook", products="again")["products"]
    assert offered(login="facebook", products="ready")["products"] == ""


async def test_without_a_shop_and_when_the_permission_ran_out_the_option_is_closed(
    http: aiohttp.ClientSession, instagram: Instagram, picture: Make
) -> None:
    bare = await selling(http, instagram, *SHOPPING)
    assert (await bare.whoami()).limits["products"] == "no_shop"
    instagram.open_shop("regie", Product(LINEN, "Linen shirt"))
    assert (await bare.whoami()).limits["products"] == "ready"
    for token in instagram.state.tokens.values():
        if token.way == "facebook":
            token.until = instagram.now()
    profile = await bare.whoami()  # the Page's own token goes on
    assert profile.limits["products"] == "again"
    assert "connect this account again" in profile.limits["missing"][-1]
    with pytest.raises(Refused, match="no longer lets Régie tag products"):
        await prepared(bare, saying(pictures=(picture(),), options={"products": (LINEN,)}))
    assert await prepared(bare, saying(pictures=(picture(),)))


async def test_a_page_alone_tags_nothing(instagram: Instagram, http: aiohttp.ClientSession, picture: Make) -> None:
    instagram.open_shop("regie", Product(LINEN, "Linen shirt"))
    fewer = await selling(http, instagram, "catalog_management")
    assert (await fewer.whoami()).limits["products"] == "again"
    what = saying(pictures=(picture(),), options={"products": (LINEN,)})
    with pytest.raises(Refused, match="no longer lets Régie tag products"):
        await prepared(fewer, what)
    assert not instagram.state.containers


def test_a_product_is_a_number() -> None:
    (objection,) = Connector.objections({}, Draft(text="New in", options={"products": ("linen",)}, pictures=1))
    assert "by its number" in objection.said
