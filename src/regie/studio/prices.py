"""What networks charge for what is sent there, in words. X is the one that does."""

from __future__ import annotations

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from regie.networks import registry
from regie.networks.data import Draft
from regie.networks.protocols import Costs

A_LINK = "https://a.example/"


def of_post(network: str, price: Decimal) -> str:
    """``network``: its name."""
    return _("{network} charges about ${amount} for this post.").format(network=network, amount=_dollars(price))


def of_words(slug: str, *, with_links: bool = True) -> str:
    """Of an answer or a change that is still to be written; "" where nothing is charged."""
    kind = registry.connector(slug)
    if not issubclass(kind, Costs):
        return ""
    plain, linked = kind.price(Draft(text="")), kind.price(Draft(text=A_LINK))
    facts = {"network": kind.name, "amount": _dollars(plain), "linked": _dollars(linked)}
    if with_links and linked != plain:
        return _("{network} charges about ${amount} for this, ${linked} with a link in it.").format(**facts)
    return _("{network} charges about ${amount} for this.").format(**facts) if plain else ""


def _dollars(price: Decimal) -> str:
    """Tenths of a cent are told where there are some."""
    return number_format(price, 2 if price == price.quantize(Decimal("0.01")) else 3)
