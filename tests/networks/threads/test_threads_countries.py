"""Countries: for accounts that Threads lets choose them."""

from __future__ import annotations

import pytest

from regie.networks.data import Draft
from regie.networks.errors import Refused
from regie.networks.threads.connector import Threads as Connector
from regie_sandbox.threads.app import Threads

from .posting import prepared, publish, saying


async def why(account: Connector) -> str:
    limits = (await account.whoami()).limits
    return next(one.closed for one in Connector.can_on(limits).options if one.name == "countries")


async def test_a_post_shows_in_the_countries_that_it_names(threads: Threads, account: Connector) -> None:
    threads.user("regie").chooses_countries = True
    assert await why(account) == ""
    published = await publish(account, saying("For the north", options={"countries": ("fr", "BE")}))
    (made,) = [one for one in threads.state.containers.values() if one.media == published.remote_id]
    assert made.countries == ["FR", "BE"]


async def test_other_accounts_are_told_why_not_and_nothing_is_made(threads: Threads, account: Connector) -> None:
    assert "lets only some accounts" in await why(account)
    with pytest.raises(Refused, match="permission is missing"):
        await prepared(account, saying(options={"countries": ("FR",)}))
    assert not threads.state.containers


async def test_a_country_has_two_letters(threads: Threads, account: Connector) -> None:
    what = saying("Hello", options={"countries": ("France",)})
    (objection,) = Connector.objections({}, Draft(text=what.text, options=what.options))
    assert "“FRANCE” is no country" in objection.said
    with pytest.raises(Refused, match="is no country"):
        await prepared(account, what)
    assert not threads.state.containers
