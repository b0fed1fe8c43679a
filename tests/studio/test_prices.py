"""What a network charges is said before it is sent: beside a post, an answer, a change."""

from __future__ import annotations

import pytest

from regie.networks import registry
from regie.networks.protocols import Costs
from regie.studio import prices


def test_an_answer_on_x_costs_more_with_a_link_and_a_private_one_does_not() -> None:
    assert prices.of_words("x") == "X charges about $0.015 for this, $0.20 with a link in it."
    assert prices.of_words("x", with_links=False) == "X charges about $0.015 for this."


@pytest.mark.parametrize("slug", [slug for slug in registry.slugs() if not issubclass(registry.connector(slug), Costs)])
def test_the_others_take_nothing(slug: str) -> None:
    assert prices.of_words(slug) == ""
