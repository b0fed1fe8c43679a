"""The audience: known parameters in, measurable behaviour out, on any network."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import aiohttp
import pytest

from regie.networks import registry
from regie.networks.data import Login, Outgoing, Pending, Picture, Video
from regie.networks.protocols import Converses, KnowsItself, Publishes
from regie_sandbox.audience import Audience, Nature
from regie_sandbox.frame import World
from regie_sandbox.mastodon.app import Mastodon
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve

START = datetime(2030, 1, 7, 18, tzinfo=UTC)
CALM = Nature(joins_a_day=0, leaves_a_day=0, mentions_a_day=0)


def played(seed: int, nature: Nature, texts: list[str], *, days: int = 60) -> Mastodon:
    """Sixty days with one post each evening."""
    world = World(seed=seed)
    server = Mastodon(world)
    world.clock.set(START)
    audience = Audience(world)
    audience.watch("mastodon", nature=nature)
    for day in range(days):
        audience.play(until=START + timedelta(days=day))
        server.publish(server.person("regie"), texts[day % len(texts)])
    audience.play(until=START + timedelta(days=days + 3))
    return server


def likes(server: Mastodon, word: str = "") -> list[int]:
    posts = [server.state.statuses[one] for one in server.posts("regie")]
    return [len(one.favourited_by) for one in posts if word in one.text]


def test_the_same_seed_gives_the_same_people() -> None:
    first, again, other = (played(seed, Nature(), ["a"], days=20) for seed in (1, 1, 2))
    assert [e.text for e in first.world.ledger.entries] == [e.text for e in again.world.ledger.entries]
    assert likes(first) == likes(again) != likes(other)


def test_the_mean_of_likes_is_the_models() -> None:
    nature = replace(CALM, followers=200, share=0, noise=0)
    found = likes(played(3, nature, ["a"]))
    expected = 200 * nature.seen * nature.like * 1.6  # 18 h: evening
    assert sum(found) / len(found) == pytest.approx(expected, rel=0.15)  # a person likes a post once: a little under


def test_a_topic_that_people_love_gets_more() -> None:
    server = played(4, replace(CALM, followers=200, topics={"linen": 2.0}), ["linen shirts", "opening hours"])
    linen, hours = likes(server, "linen"), likes(server, "opening")
    assert 1.5 < (sum(linen) / len(linen)) / (sum(hours) / len(hours)) < 2.5


def test_people_come_go_comment_and_share() -> None:
    server = played(5, Nature(joins_a_day=2, leaves_a_day=1), ["a"])
    kinds = {note.type for note in server.state.notifications[server.person("regie").id]}
    assert kinds == {"mention", "favourite", "reblog", "follow"}
    assert len(server.person("regie").followers) > 60
    replies = [entry.text for entry in server.world.ledger.entries if entry.kind == "reply"]
    assert any("é" in text for text in replies)
    assert any("а" in text for text in replies)


def test_a_crisis_turns_the_mood() -> None:
    world = World(seed=6)
    server, audience = Mastodon(world), Audience(world)
    world.clock.set(START)
    audience.watch("mastodon", nature=replace(CALM, followers=100))
    audience.crisis("mastodon", hours=6)
    post = server.publish(server.person("regie"), "Nothing happened")
    audience.play(until=START + timedelta(days=2))
    said = [server.state.statuses[one].text for one in post.replies]
    assert len(said) > len(post.favourited_by)
    assert len(server.person("regie").followers) < 100


def test_nobody_reacts_to_what_was_deleted() -> None:
    world = World(seed=7)
    server, audience = Mastodon(world), Audience(world)
    world.clock.set(START)
    audience.watch("mastodon", nature=CALM)
    post = server.publish(server.person("regie"), "Oops")
    audience.play(until=START)
    server.remove(post)
    assert audience.play(until=START + timedelta(days=5)) == 0


def test_the_audience_outlives_a_restart(tmp_path: Path) -> None:
    world = World(seed=8, data=tmp_path)
    server, audience = Mastodon(world), Audience(world)
    world.clock.set(START)
    audience.watch("mastodon", nature=CALM)
    server.publish(server.person("regie"), "Good evening")
    audience.play(until=START)
    waiting = len(audience.mind.plan)
    world.close()

    world = World(seed=8, data=tmp_path)
    server, audience = Mastodon(world), Audience(world)
    world.clock.set(START)
    audience.watch("mastodon")
    assert (len(audience.mind.plan), len(server.person("regie").followers)) == (waiting, CALM.followers)
    assert audience.play(until=START + timedelta(days=5)) > 0
    world.close()


@pytest.mark.parametrize("slug", registry.slugs())
async def test_it_speaks_to_every_network(
    slug: str,
    http: aiohttp.ClientSession,
    pictures: Callable[[int], tuple[Picture, ...]],
    videos: Callable[[int], tuple[Video, ...]],
) -> None:
    world = World(seed=9)
    network, audience = sandbox_network(slug, world), Audience(world)
    running = await serve(world)
    audience.watch(slug, nature=replace(CALM, followers=80, mentions_a_day=1, comment=0.1))
    ready = network.ready_account()
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"])
    connector = registry.connector(slug)(http, login)
    assert isinstance(connector, Publishes)
    assert isinstance(connector, KnowsItself)
    can = registry.connector(slug).can_on((await connector.whoami()).limits)  # what this way of signing in allows
    if can.reads:
        await cast(Converses, connector).messages(cursor="")
    options = ready.get("options", {})
    what = Outgoing(key="k", text="Good evening", planned_at=datetime.now(UTC), options=options)
    if can.media_required:
        what = replace(what, pictures=pictures(1)) if can.images else replace(what, videos=videos(1))
    step = await connector.prepare(what, {})
    while isinstance(step, Pending):
        step = await connector.prepare(what, step.progress)
    await connector.commit(what, step.progress)
    assert audience.play(until=datetime.now(UTC) + timedelta(days=3)) > 5
    if can.reads:
        assert (await cast(Converses, connector).messages(cursor="")).messages
    await running.close()


async def test_in_real_time_it_acts_in_the_background() -> None:
    world = World(seed=10)
    server, audience = Mastodon(world), Audience(world)
    audience.watch("mastodon", nature=replace(CALM, followers=300, half_life_hours=0.00001))
    post = server.publish(server.person("regie"), "Now")
    living = asyncio.create_task(audience.live(every=0.05))
    await asyncio.sleep(0.5)
    living.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await living
    assert post.favourited_by
