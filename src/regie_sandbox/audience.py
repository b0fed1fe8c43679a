"""People who see, like, comment, pass on and leave, by a model whose parameters are known.

For a post at hour h on a topic t, with a picture or without, the expected number of each reaction is

    followers x seen x rate x rhythm(h) x topic(t) x picture x e^(noise x N(0, 1) - noise^2 / 2)

drawn from a Poisson law; each comes after a delay with the given half-life. A share shows the post to ``virality``
as many people again as one more follower each. All dice come from the world's seed: the same posts at the same moments
meet the same audience. What a measurement should find is therefore known.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from pydantic import TypeAdapter

from regie_sandbox.frame import Entry, Network, World
from regie_sandbox.words import FIRST_NAMES, LAST_NAMES, SAID, Mood

Act = Literal["like", "comment", "share", "follow", "leave", "mention"]
T = TypeVar("T", bound=str)
NIGHT, MORNING, NOON, EVENING = 0.3, 1.0, 1.2, 1.6
RHYTHM = (*[NIGHT] * 6, *[MORNING] * 5, *[NOON] * 3, *[MORNING] * 3, *[EVENING] * 5, *[NIGHT] * 2)  # by UTC hour


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """How an account's people behave. Rates are per person who sees the post; per day where it says so."""

    followers: int = 60
    seen: float = 0.6
    like: float = 0.14
    comment: float = 0.025
    share: float = 0.012
    virality: float = 4.0
    follow_after_share: float = 0.03
    joins_a_day: float = 0.8
    leaves_a_day: float = 0.25
    mentions_a_day: float = 0.15
    half_life_hours: float = 3.0
    noise: float = 0.35
    picture: float = 1.4
    topics: Mapping[str, float] = field(default_factory=dict)  # a word in the text -> factor
    languages: Mapping[str, float] = field(default_factory=lambda: {"fr": 0.6, "en": 0.3, "ru": 0.1})
    moods: Mapping[Mood, float] = field(default_factory=lambda: {"praise": 0.5, "ask": 0.38, "gripe": 0.12})

    def topic(self, text: str) -> float:
        """The product of the factors of all topics that a text names."""
        low = text.lower()
        return math.prod(factor for word, factor in self.topics.items() if word.lower() in low)


@dataclass(slots=True)
class Watched:
    """An account and its people."""

    slug: str
    name: str  # as ``ready_account`` takes it
    remote_id: str
    known_as: set[str]
    nature: Nature
    followers: list[str] = field(default_factory=list)
    day: datetime | None = None  # the last day whose comings and goings were planned
    crisis_until: datetime | None = None


@dataclass(order=True, slots=True)
class Planned:
    at: datetime
    number: int  # keeps those of one moment in order
    act: Act = field(compare=False)
    account: str = field(compare=False)  # "slug:name"
    post_id: str = field(compare=False, default="")
    angry: bool = field(compare=False, default=False)


@dataclass(slots=True)
class Mind:
    """What the audience must remember over a restart."""

    watched: dict[str, Watched] = field(default_factory=dict)
    plan: list[Planned] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)  # posts that were deleted
    names: set[str] = field(default_factory=set)  # everybody who ever came
    read_up_to: int = 0  # entries of the ledger
    number: int = 0


class Audience:
    """The people of one world. ``watch`` an account, then ``play`` up to a moment, or ``live`` in real time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = world.rng_for("audience")
        self.mind = Mind(read_up_to=len(world.ledger.entries))
        path = world.data / "audience.json" if world.data is not None else None
        if path is not None and path.exists():
            self.mind = TypeAdapter(Mind).validate_json(path.read_bytes())
            self.rng = random.Random(f"{world.seed}:audience:{self.mind.number}")
        world.audience, world.kept["audience"] = self, self.dump

    def dump(self) -> bytes:
        return TypeAdapter(Mind).dump_json(self.mind)

    def watch(self, slug: str, *, account: str = "regie", nature: Nature | None = None) -> None:
        """Give an account its people. Its first followers are there at once; watching it again changes nothing."""
        key = f"{slug}:{account}"
        if key in self.mind.watched:
            return
        ready = self.world.networks[slug].ready_account(account)
        handle, remote_id = str(ready["handle"]), str(ready["remote_id"])
        known_as = {account, remote_id, handle, handle.lstrip("@"), handle.lstrip("@").split("@")[0]}
        watched = Watched(slug, account, remote_id, known_as, nature or Nature())
        self.mind.watched[key] = watched
        for _ in range(watched.nature.followers):
            self._join(watched)

    def crisis(self, slug: str, *, account: str = "regie", hours: float = 12) -> None:
        """From now on people are angry: comments eight times as many, likes a fifth, people leave."""
        watched, now = self.mind.watched[f"{slug}:{account}"], self.world.clock.now()
        watched.crisis_until = now + timedelta(hours=hours)
        for _ in range(_poisson(self.rng, 0.05 * len(watched.followers))):
            self._plan(now + timedelta(hours=self.rng.uniform(0, hours)), "leave", watched)
        for _ in range(_poisson(self.rng, 0.1 * len(watched.followers))):
            self._plan(now + timedelta(hours=self.rng.uniform(0, hours)), "mention", watched, angry=True)

    def play(self, *, until: datetime) -> int:
        """Let everything happen that is due up to ``until``; returns how much did. A standing clock goes along."""
        done = 0
        self._notice(until)
        while self.mind.plan and self.mind.plan[0].at <= until:
            planned = heapq.heappop(self.mind.plan)
            self._stand_at(planned.at)
            done += self._do(planned)
            self._notice(until)
        self._stand_at(until)
        return done

    def _stand_at(self, moment: datetime) -> None:
        if self.world.clock.is_standing and moment > self.world.clock.now():
            self.world.clock.set(moment)

    async def live(self, *, every: float = 5.0) -> None:
        """Act in real time, until cancelled. Idle it only compares two numbers every few seconds."""
        while True:
            if self.play(until=self.world.clock.now()):
                self.world.changes += 1
            await asyncio.sleep(every)

    # What will happen

    def _notice(self, until: datetime) -> None:
        entries, mind = self.world.ledger.entries, self.mind
        for entry in entries[mind.read_up_to :]:
            if entry.kind == "delete":
                mind.gone.add(entry.remote_id)
            elif entry.kind == "post":
                for watched in mind.watched.values():
                    if watched.slug == entry.network and entry.account in watched.known_as:
                        self._foresee(watched, entry)
        mind.read_up_to = len(entries)
        for watched in mind.watched.values():
            self._foresee_days(watched, until)

    def _foresee(self, watched: Watched, post: Entry) -> None:
        nature, angry = watched.nature, watched.crisis_until is not None and post.at < watched.crisis_until
        mood = math.exp(nature.noise * self.rng.gauss(0, 1) - nature.noise**2 / 2)
        picture = nature.picture if post.media else 1.0
        reach = len(watched.followers) * nature.seen * RHYTHM[post.at.hour] * nature.topic(post.text) * picture * mood
        shares = _poisson(self.rng, reach * nature.share)
        reach += shares * nature.virality
        amounts: dict[Act, float] = {
            "like": reach * nature.like * (0.2 if angry else 1),
            "comment": reach * nature.comment * (8 if angry else 1),
            "follow": shares * nature.virality * nature.follow_after_share,
        }
        acts: list[Act] = ["share"] * shares
        acts += [act for act, mean in amounts.items() for _ in range(_poisson(self.rng, mean))]
        for act in acts:
            hours = self.rng.expovariate(math.log(2) / nature.half_life_hours)
            self._plan(post.at + timedelta(hours=hours), act, watched, post.remote_id, angry)

    def _foresee_days(self, watched: Watched, until: datetime) -> None:
        nature, now = watched.nature, self.world.clock.now()
        day = watched.day or now
        while day <= until:
            daily: dict[Act, float] = {
                "follow": nature.joins_a_day,
                "leave": nature.leaves_a_day,
                "mention": nature.mentions_a_day,
            }
            for act, mean in daily.items():
                for _ in range(_poisson(self.rng, mean)):
                    self._plan(day + timedelta(hours=self.rng.uniform(0, 24)), act, watched)
            day += timedelta(days=1)
        watched.day = day

    def _plan(self, at: datetime, act: Act, watched: Watched, post_id: str = "", angry: bool = False) -> None:
        self.mind.number += 1
        planned = Planned(at, self.mind.number, act, f"{watched.slug}:{watched.name}", post_id, angry)
        heapq.heappush(self.mind.plan, planned)

    # What happens

    def _do(self, planned: Planned) -> bool:
        watched = self.mind.watched[planned.account]
        network = self.world.networks.get(watched.slug)
        if network is None or planned.post_id in self.mind.gone:
            return False
        with contextlib.suppress(LookupError):  # what it was about is no longer there
            self._act(network, watched, planned)
            return True
        return False

    def _act(self, network: Network, watched: Watched, planned: Planned) -> None:
        match planned.act:
            case "follow":
                self._join(watched)
            case "leave" if watched.followers:
                gone = watched.followers.pop(self.rng.randrange(len(watched.followers)))
                network.unfollow(by=gone, account=watched.remote_id)
            case "like" if watched.followers:
                network.like(by=self.rng.choice(watched.followers), post_id=planned.post_id)
            case "share" if watched.followers:
                network.share(by=self.rng.choice(watched.followers), post_id=planned.post_id)
            case "comment" if watched.followers:
                by, text = self._words(watched, angry=planned.angry)
                network.say(by=by, text=text, to=planned.post_id)
            case "mention" if watched.followers:
                by, text = self._words(watched, angry=planned.angry)
                network.say(by=by, text=text, to=watched.remote_id, kind="mention")

    def _join(self, watched: Watched) -> None:
        self.mind.number += 1
        language = self._one_of(watched.nature.languages)
        name = f"{self.rng.choice(FIRST_NAMES[language])} {self.rng.choice(LAST_NAMES[language])}"
        if name in self.mind.names:  # namesakes are told apart
            name = f"{name} {self.mind.number}"
        self.mind.names.add(name)
        watched.followers.append(name)
        self.world.networks[watched.slug].follow(by=name, account=watched.remote_id)

    def _words(self, watched: Watched, *, angry: bool) -> tuple[str, str]:
        by = self.rng.choice(watched.followers)
        language = next((one for one, names in FIRST_NAMES.items() if by.split()[0] in names), "en")
        mood: Mood = "crisis" if angry else self._one_of(watched.nature.moods)
        return by, self.rng.choice(SAID[language][mood])

    def _one_of(self, weights: Mapping[T, float]) -> T:
        return self.rng.choices(list(weights), list(weights.values()))[0]


def _poisson(rng: random.Random, mean: float) -> int:
    """A draw from Poisson's law; beyond 50 the normal law stands in for it."""
    if mean > 50:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
