"""Changing a post on X: a new id each time, for those who pay, for half an hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from regie.networks.data import Login, Outgoing, Picture, Poll, Published, Ready, Ref
from regie.networks.errors import Gone, Refused, Unclear
from regie.networks.x.connector import X as Connector
from regie_sandbox.x.app import X

from .posting import outgoing, publish, ref_to

HOUR = timedelta(hours=1)


@pytest.fixture
def premium(x: X, http: aiohttp.ClientSession, login: Login) -> Connector:
    x.user("regie").subscription = "Premium"
    return Connector(http, replace(login, limits={**login.limits, "subscription": "Premium"}))


async def edit(connector: Connector, what: Outgoing, ref: Ref) -> Published:
    ready = await connector.prepare(what, {})
    assert isinstance(ready, Ready)
    return await connector.edit(ref, what, ready.progress)


async def test_a_changed_post_has_a_new_id_and_stands_in_the_place_of_the_old(premium: Connector, x: X) -> None:
    first = await publish(premium, outgoing("Until six"))
    await publish(premium, outgoing("Another"))
    edited = await edit(premium, outgoing("Until seven & <more> https://a.example/1"), ref_to(first))
    assert edited.remote_id != first.remote_id
    assert edited.extra == {"replaces": first.remote_id}
    assert edited.url.endswith(f"/status/{edited.remote_id}")
    assert x.texts() == ["Until seven & <more> https://a.example/1", "Another"]
    assert x.posts()[0] == edited.remote_id
    listing = await premium.own_posts(since=datetime.now(UTC) - HOUR)
    assert {one.remote_id for one in listing.seen} == set(x.posts())


async def test_a_picture_stays_with_it_when_it_is_handed_in_again(
    premium: Connector, x: X, pictures: Callable[[int], tuple[Picture, ...]]
) -> None:
    first = await publish(premium, outgoing("Look", pictures=pictures(1)))
    edited = await edit(premium, outgoing("Look here", pictures=pictures(1)), ref_to(first))
    assert len(x.post(edited.remote_id).media) == 1


async def test_a_part_of_our_thread_is_changed_where_it_stands(premium: Connector, x: X) -> None:
    first = await publish(premium, outgoing("One"))
    second = await publish(premium, outgoing("Two", reply_to=ref_to(first)))
    edited = await edit(premium, outgoing("Second"), ref_to(second))
    assert x.post(edited.remote_id).reply_to == first.remote_id
    assert x.post(first.remote_id).answers == 1


async def test_a_change_whose_answer_was_lost_is_found_and_not_made_again(premium: Connector, x: X) -> None:
    first = await publish(premium, outgoing("Until six"))
    x.faults.will_lose_answer(method="POST", path="/2/tweets")
    with pytest.raises(Unclear):
        await edit(premium, outgoing("Until seven"), ref_to(first))
    again = await edit(premium, outgoing("Until seven"), ref_to(first))
    assert (x.posts(), again.extra) == ([again.remote_id], {"replaces": first.remote_id})
    assert len(x.post(again.remote_id).history) == 2


async def test_the_sixth_change_and_one_too_late_are_refused(premium: Connector, x: X) -> None:
    x.world.clock.set(datetime.now(UTC))
    first = await publish(premium, outgoing("0"))
    for number in range(1, 6):  # each names the first: the newest is found
        await edit(premium, outgoing(str(number)), ref_to(first))
    with pytest.raises(Refused, match="no longer"):
        await edit(premium, outgoing("6"), ref_to(first))
    second = await publish(premium, outgoing("Until six"))
    x.world.clock.advance(timedelta(minutes=31))
    with pytest.raises(Refused, match="no longer"):
        await edit(premium, outgoing("Until seven"), ref_to(second))
    assert x.texts() == ["5", "Until six"]


async def test_polls_and_answers_to_others_are_not_changed(premium: Connector, x: X) -> None:
    poll = await publish(premium, outgoing("Which?", poll=Poll(options=("a", "b"), lasts=HOUR)))
    theirs = x.say(by="ana", text="@regie hello", to=poll.remote_id)
    answer = await publish(premium, outgoing("Hello", reply_to=Ref(remote_id=theirs)))
    for one in (poll, answer):
        with pytest.raises(Refused, match="like this"):
            await edit(premium, outgoing("Other words"), ref_to(one))
    with pytest.raises(Refused, match="polls"):
        await edit(premium, outgoing("Which?", poll=Poll(options=("a", "c"), lasts=HOUR)), ref_to(poll))


async def test_who_does_not_pay_cannot_edit_and_is_told_before_anything_is_asked(
    connector: Connector, premium: Connector, x: X
) -> None:
    assert Connector.can.edit
    assert not Connector.can_on({"subscription": "None"}).edit
    assert Connector.can_on({"subscription": "Basic"}).edit
    first = await publish(connector, outgoing("Until six"))
    with pytest.raises(Refused, match="Premium"):
        await edit(connector, outgoing("Until seven"), ref_to(first))
    x.user("regie").subscription = "None"  # it ended meanwhile
    with pytest.raises(Refused, match="not permitted"):
        await edit(premium, outgoing("Until seven"), ref_to(first))
    assert x.texts() == ["Until six"]


async def test_deleting_the_newest_takes_all_versions_away(premium: Connector, x: X) -> None:
    first = await publish(premium, outgoing("Until six"))
    edited = await edit(premium, outgoing("Until seven"), ref_to(first))
    await premium.delete(ref_to(edited))
    assert x.texts() == []
    with pytest.raises(Gone):
        await premium.fetch(first.remote_id)
    with pytest.raises(Gone):
        await edit(premium, outgoing("Until eight"), ref_to(first))
