"""Products of an account's shop, for its posts to name: through Facebook's login only. Sources: NOTES.md.

Meta lets a person speak of their shop, not a Page: these calls go out with the token of whoever connected the account.
It runs out after sixty days, and only they can make it anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from regie.networks.capabilities import Choice, Permit
from regie.networks.data import Outgoing, Picture, Video
from regie.networks.errors import NetworkError, Refused, SignInAgain
from regie.networks.instagram.entities import Catalog, Product, Shopper
from regie.networks.instagram.limits import AGAIN, NO_SHOP, READY, RUN_OUT
from regie.networks.instagram.wire import NETWORK, Wire
from regie.networks.meta.entities import Edge
from regie.networks.meta.wire import parsed

PERMIT = Permit(
    name="products",
    login="facebook",
    label="Products can be tagged",
    help="Only for shops on Instagram: the sign-in then asks for two permissions more, which Meta's review looks at, "
    "and a verified business. Accounts that are connected already have to be connected again.",
    permissions=("instagram_shopping_tag_products", "catalog_management"),
)
MOST_FOUND = 50
REJECTED = "rejected"  # by Meta's review: never shown on a post
LOW = 0.8  # from the upper edge of a picture, as people are marked in its middle


@contextmanager
def as_person(wire: Wire) -> Iterator[Wire]:
    """Raises Refused where the account has no such permission, or has it no longer: all else works without."""
    if not wire.person:
        raise Refused(RUN_OUT, network=NETWORK)
    try:
        yield wire.as_person()
    except SignInAgain as exc:
        raise Refused(RUN_OUT, network=NETWORK, answer=exc.answer) from exc


@contextmanager
def speaking(wire: Wire, outgoing: Outgoing) -> Iterator[Wire]:
    """Who publishes: the person where there are products, else the account as always."""
    if not outgoing.options.get("products"):
        yield wire
        return
    with as_person(wire) as theirs:
        yield theirs


def allowed(scopes: Sequence[str]) -> bool:
    return set(PERMIT.permissions) <= set(scopes)


async def standing(wire: Wire) -> str:
    """Whether the account's products can be tagged now, as ``Login.limits`` keeps it."""
    try:
        with as_person(wire) as theirs:
            answer = await theirs.graph.get(f"/{wire.user}", {"fields": "id,shopping_product_tag_eligibility"})
            may = parsed(answer, Shopper, network=NETWORK).shopping_product_tag_eligibility
    except Refused:
        return AGAIN
    except NetworkError:
        return str(wire.login.limits.get("products") or READY)
    return READY if may else NO_SHOP


async def search(wire: Wire, words: str) -> tuple[Choice, ...]:
    """Products of the shop's catalogue by their name, each with its variants. Those that Meta rejected are left out."""
    found: list[Choice] = []
    with as_person(wire) as theirs:
        catalogs = parsed(await theirs.graph.get(f"/{wire.user}/available_catalogs"), Edge[Catalog], network=NETWORK)
        for catalog in catalogs.data:
            asked = {"catalog_id": catalog.catalog_id, "q": words, "limit": str(MOST_FOUND)}
            answer = await theirs.graph.get(f"/{wire.user}/catalog_product_search", asked)
            for product in parsed(answer, Edge[Product], network=NETWORK).data:
                found += _choices(product)
    return tuple(found[:MOST_FOUND])


def _choices(product: Product) -> list[Choice]:
    if product.review_status == REJECTED:
        return []
    named = product.product_name or product.retailer_id or product.product_id
    variants = [Choice(one.product_id, f"{named} · {one.variant_name}") for one in product.product_variants or ()]
    return [Choice(product.product_id, named), *variants]


def tags(outgoing: Outgoing, item: Picture | Video) -> dict[str, object]:
    """What the container of this file says of products: all stand in the first picture, or in the first video where
    there is no picture. In a picture each has a place from 0 to 1, side by side; in a video nothing has one."""
    products, items = outgoing.options.get("products"), outgoing.media
    first = next((one for one in items if isinstance(one, Picture)), items[0])
    if not isinstance(products, tuple) or item is not first:
        return {}
    if isinstance(item, Video):
        return {"product_tags": [{"product_id": one} for one in products]}
    step = 1 / (len(products) + 1)
    placed = [{"product_id": one, "x": round(step * nth, 3), "y": LOW} for nth, one in enumerate(products, start=1)]
    return {"product_tags": placed}
