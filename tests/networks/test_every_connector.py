"""Every connector on its sandbox: what it declares works, what it does not declare is refused, and bad days are met."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args

import aiohttp
import pytest

from regie.networks import protocols, registry
from regie.networks.capabilities import (
    Answering,
    Arrival,
    AskStatus,
    Capabilities,
    MessageKind,
    NobodyKnows,
    Repeat,
    Repeatable,
    Search,
    SignIn,
)
from regie.networks.data import (
    Incoming,
    Login,
    Options,
    Outgoing,
    Picture,
    Poll,
    Progress,
    Published,
    Ready,
    Ref,
    Video,
)
from regie.networks.errors import Gone, NetworkError, Refused, SignInAgain, TryLater, Unclear
from regie.networks.metrics import METRICS
from regie_sandbox.frame import Network, World
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import serve

ODD = 'Élégance 👩‍👩‍👧‍👦 🇫🇷 مرحبا بالعالم — שלום <b>&amp; "quotes"'
BIG = 2**53 + 1
HOUR = timedelta(hours=1)


@dataclass
class Line:
    """One connector, signed in on its sandbox."""

    slug: str
    net: Network
    login: Login
    connector: Any
    can: Capabilities
    http: aiohttp.ClientSession
    pictures: Callable[[int], tuple[Picture, ...]]
    videos: Callable[[int], tuple[Video, ...]]
    options: Options  # without which this account publishes nothing: a title, a board
    visible: str  # the verb of the one visible call
    odd: str  # the oddest text that the network takes: ODD, without signs that it never takes
    sent: int = 0

    def outgoing(self, text: str = "Good morning", **more: Any) -> Outgoing:
        """What a caller hands in; with a picture or a video where the network takes no post without one."""
        self.sent += 1
        if not more.get("reply_to"):
            more["options"] = {**self.options, **more.get("options", {})}
            if self.can.media_required and not more.get("pictures") and not more.get("videos"):
                more.setdefault(*(("pictures", self.pictures(1)) if self.can.images else ("videos", self.videos(1))))
        return Outgoing(**{"key": f"key-{self.sent}", "text": text, "planned_at": datetime.now(UTC), **more})

    async def prepared(self, what: Outgoing) -> Progress:
        """What was achieved on the way is handed back as often as it takes."""
        achieved: Progress = {}
        for _ in range(10):
            ready = await self.connector.prepare(what, achieved)
            achieved = ready.progress
            if isinstance(ready, Ready):
                return achieved
        raise AssertionError("It is never ready.")

    async def send(self, what: Outgoing) -> Published:
        published = await self.connector.commit(what, await self.prepared(what))
        assert isinstance(published, Published)
        return published

    async def post(self, text: str = "Good morning", **more: Any) -> Published:
        return await self.send(self.outgoing(text, **more))

    async def heard(self) -> list[Incoming]:
        found, cursor, more = [], "", True
        while more:
            page = await self.connector.messages(cursor=cursor)
            found += page.messages
            cursor, more = page.cursor, page.more
        return found

    def secrets(self) -> list[str]:
        return [value for value in self.login.credentials.values() if value and value not in self.login.remote_id]


def ref_to(published: Published) -> Ref:
    return Ref(
        remote_id=published.remote_id,
        root_id=published.remote_id,
        extra=published.extra,
        root_extra=published.extra,
    )


def ref_to_message(message: Incoming) -> Ref:
    return Ref(remote_id=message.remote_id, root_id=message.conversation_id, extra=message.extra)


@pytest.fixture(params=registry.slugs())
def slug(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def line(
    slug: str,
    http: aiohttp.ClientSession,
    pictures: Callable[[int], tuple[Picture, ...]],
    videos: Callable[[int], tuple[Video, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Line]:
    net = sandbox_network(slug, World(seed=7))
    running = await serve(net.world)
    ready = net.ready_account()
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"])
    kind: Any = registry.connector(slug)
    if "hosts" in ready:  # beside the first one
        monkeypatch.setattr(kind, "addresses", replace(kind.addresses, **ready["hosts"]))
    profile = await kind(http, login).whoami()
    login = replace(login, limits=profile.limits)
    yield Line(
        slug,
        net,
        login,
        kind(http, login),
        kind.can_on(profile.limits),
        http,
        pictures,
        videos,
        options=ready.get("options", {}),
        visible=ready.get("visible", "POST"),
        odd="".join(sign for sign in ODD if sign not in ready.get("never", "")),
    )
    await running.close()


# What is declared is there, what is not declared is not


def declared(can: Capabilities) -> dict[Any, bool]:
    return {
        protocols.Publishes: True,
        protocols.Chooses: any(option.asked for option in can.options),
        protocols.Searches: any(option.searched for option in can.options),
        protocols.KnowsItself: True,
        protocols.Edits: can.edit,
        protocols.Deletes: can.delete or bool({Answering.DELETE_OWN, Answering.DELETE} & can.answers),
        protocols.Converses: bool(can.reads),
        protocols.Likes: Answering.LIKE in can.answers,
        protocols.Hides: Answering.HIDE in can.answers,
        protocols.Streams: Arrival.STREAM in can.arrival,
        protocols.LongPolls: Arrival.LONG_POLL in can.arrival,
        protocols.ReceivesWebhooks: Arrival.WEBHOOK in can.arrival and Arrival.LONG_POLL in can.arrival,  # a queue
        protocols.ReceivesForApp: Arrival.WEBHOOK in can.arrival and Arrival.LONG_POLL not in can.arrival,
        protocols.Measures: bool(can.account_metrics),
        protocols.ListsOwn: isinstance(can.repeat, Search | Repeatable | AskStatus),
        protocols.KnowsStatus: isinstance(can.repeat, AskStatus),
        protocols.SignsInWithOAuth: SignIn.OAUTH in can.sign_in,
        protocols.SignsInWithSecret: any(way is not SignIn.OAUTH for way in can.sign_in),
    }


def test_the_protocols_are_those_declared(slug: str) -> None:
    kind = registry.connector(slug)
    for protocol, expected in declared(kind.can).items():
        names = protocol.__protocol_attrs__ if hasattr(protocol, "__protocol_attrs__") else ()
        there = [callable(getattr(kind, name, None)) for name in names or _verbs(protocol)]
        assert all(there) is expected, f"{protocol.__name__} of {slug}"
        assert any(there) is expected or protocol is protocols.Measures, f"half of {protocol.__name__} in {slug}"


def _verbs(protocol: type) -> list[str]:
    return [name for name in vars(protocol) if not name.startswith("_")]


def test_the_declaration_makes_sense(slug: str) -> None:
    can = registry.connector(slug).can
    assert isinstance(can.repeat, get_args(Repeat))
    assert {*can.post_metrics, *can.account_metrics} <= set(METRICS)
    assert bool(can.reads) == bool(can.arrival)
    assert can.thread >= 1
    assert can.in_flight >= 1


@pytest.mark.parametrize(
    ("members", "used"),
    [
        (MessageKind, lambda can: can.reads),
        (Answering, lambda can: can.answers),
        (Arrival, lambda can: can.arrival),
        (SignIn, lambda can: can.sign_in),
    ],
)
def test_every_word_of_the_declaration_is_used_by_somebody(members: Any, used: Any) -> None:
    assert {one for slug in registry.slugs() for one in used(registry.connector(slug).can)} == set(members)


async def test_it_knows_itself(line: Line) -> None:
    profile = await line.connector.whoami()
    assert (profile.remote_id, profile.server) == (line.login.remote_id, line.login.server)
    assert profile.name
    assert profile.handle
    assert not any(secret in repr((line.login, profile)) for secret in line.secrets())


@pytest.mark.shows("text")
async def test_a_text_comes_out_as_it_went_in(line: Line) -> None:
    published = await line.post(line.odd)
    assert line.net.texts() == [line.odd]
    assert isinstance(published.remote_id, str)
    assert published.remote_id
    assert bool(published.url) or not line.can.permalink
    assert [entry.text for entry in line.net.world.ledger.of(line.slug)] == [line.odd]


async def test_what_went_out_is_found_again(line: Line) -> None:
    if not isinstance(line.connector, protocols.ListsOwn):
        assert isinstance(line.can.repeat, NobodyKnows)
        return
    published = await line.post(line.odd)
    listing = await line.connector.own_posts(since=datetime.now(UTC) - HOUR)
    media = 1 if line.can.media_required else 0
    assert [(one.remote_id, one.text, one.media) for one in listing.seen] == [(published.remote_id, line.odd, media)]
    assert listing.reaches_back_to <= datetime.now(UTC) - HOUR + timedelta(minutes=1)
    assert listing.network_now is not None


async def test_one_of_ours_is_fetched_by_its_id(line: Line) -> None:
    if not isinstance(line.connector, protocols.Finds):
        return
    published = await line.post()
    assert (await line.connector.fetch(published.remote_id)).remote_id == published.remote_id
    if line.can.delete:
        await cast(protocols.Deletes, line.connector).delete(ref_to(published))
        with pytest.raises(Gone):
            await line.connector.fetch(published.remote_id)


async def test_the_longest_text_is_taken_and_one_more_refused(line: Line) -> None:
    longest = "x" * line.can.text.longest
    await line.post(longest)
    with pytest.raises(Refused):
        await line.post(longest + "x")
    assert line.net.texts() == [longest]


@pytest.mark.shows("carousel")
async def test_pictures_with_their_descriptions(line: Line, pictures: Callable[[int], tuple[Picture, ...]]) -> None:
    images = line.can.images
    if images is None:
        with pytest.raises(Refused):
            await line.post(pictures=pictures(1))
        return
    few = min(2, images.most)
    await line.post("A few of them", pictures=pictures(few))
    assert [(entry.text, entry.media) for entry in line.net.world.ledger.of(line.slug)] == [("A few of them", few)]
    await line.post("All of them", pictures=pictures(images.most))
    assert len(line.net.texts()) == 2
    with pytest.raises(Refused):
        await line.post("Too many", pictures=pictures(images.most + 1))
    if isinstance(line.connector, protocols.ListsOwn):
        listing = await line.connector.own_posts(since=datetime.now(UTC) - HOUR)
        told = {one.media for one in listing.seen}
        assert told in ({images.most, few}, {1})  # 1: there are some, how many is not told


@pytest.mark.shows("thread")
async def test_a_thread_hangs_together(line: Line) -> None:
    if line.can.thread == 1:
        return
    first = await line.post("one of two")
    second = await line.post("two of two", reply_to=ref_to(first))
    assert first.remote_id != second.remote_id
    assert line.net.texts() == ["one of two", "two of two"]
    if isinstance(line.connector, protocols.ListsOwn):
        listing = await line.connector.own_posts(since=datetime.now(UTC) - HOUR)
        parents = {one.remote_id: one.reply_to_id for one in listing.seen}
        assert parents == {second.remote_id: first.remote_id, first.remote_id: ""}


@pytest.mark.shows("poll")
async def test_a_poll(line: Line) -> None:
    limit = line.can.poll
    lasts: timedelta | None = HOUR
    if limit is not None:
        lasts = max(HOUR, limit.shortest or HOUR) if limit.longest else None
    question = "" if limit is None or limit.longest_question is None else "Which?"
    poll = Poll(options=("Oui", "Non"), lasts=lasts, question=question)
    what = line.outgoing("" if question else "Which?", poll=poll)
    if limit is None:
        with pytest.raises(Refused):
            await line.send(what)
        assert line.net.texts() == []
        return
    await line.send(what)
    assert len(line.net.world.ledger.of(line.slug)) == 1
    too_many = tuple(f"option {n}" for n in range(limit.most_options + 1))
    with pytest.raises(Refused):
        await line.send(replace(what, key="more", poll=replace(poll, options=too_many)))


async def test_a_warning_is_kept_or_refused_never_dropped(line: Line) -> None:
    what = line.outgoing("the end", content_warning="Spoiler")
    if line.can.content_warning is None:
        with pytest.raises(Refused):
            await line.send(what)
        assert line.net.texts() == []
    else:
        await line.send(what)
        assert line.net.texts() == ["the end"]


@pytest.mark.shows("comments_read")
async def test_an_answer_to_our_post_arrives_once_under_it(line: Line) -> None:
    if not line.can.reads - {MessageKind.REVIEW}:
        return
    post = await line.post("Open today")
    before = await line.heard()
    line.net.say(by="ana", text="Until when? 👩‍👩‍👧‍👦", to=post.remote_id)
    (message,) = [one for one in await line.heard() if "Until when? 👩‍👩‍👧‍👦" in one.text]
    assert before == []
    assert message.kind in line.can.reads
    assert message.post_id == post.remote_id
    assert message.by.name
    assert isinstance(message.remote_id, str)
    first = await line.connector.messages(cursor="")
    again = await line.connector.messages(cursor="")
    assert first == again
    assert (await line.connector.messages(cursor=first.cursor)).messages == ()


@pytest.mark.shows("reviews")
async def test_a_review_arrives_once_with_its_stars(line: Line) -> None:
    if MessageKind.REVIEW not in line.can.reads:
        return
    line.net.say(by="ana", text="Lovely shop 👩‍👩‍👧‍👦", to=line.login.remote_id, kind="mention")
    first = await line.connector.messages(cursor="")
    (review,) = first.messages
    assert (review.kind, review.text, review.post_id) == (MessageKind.REVIEW, "Lovely shop 👩‍👩‍👧‍👦", "")
    assert review.extra["stars"] in range(1, 6)
    assert review.by.name == "ana"
    assert await line.connector.messages(cursor="") == first
    assert (await line.connector.messages(cursor=first.cursor)).messages == ()


@pytest.mark.shows("reply")
async def test_our_answer_reaches_them(line: Line) -> None:
    if Answering.REPLY not in line.can.answers:
        return
    post = await line.post("Open today")
    line.net.say(by="ana", text="Until when?", to=post.remote_id)
    (message,) = await line.heard()
    answer = await line.post("Until six", reply_to=ref_to_message(message))
    assert answer.remote_id not in (post.remote_id, message.remote_id)
    entries = [entry for entry in line.net.world.ledger.of(line.slug) if entry.remote_id == answer.remote_id]
    assert ["Until six" in entry.text for entry in entries] == [True]


async def test_a_message_is_liked_and_unliked(line: Line) -> None:
    if Answering.LIKE not in line.can.answers:
        return
    post = await line.post("Open today")
    line.net.say(by="ana", text="Lovely", to=post.remote_id)
    (message,) = await line.heard()
    liked = await line.connector.like(ref_to_message(message))
    await line.connector.unlike(ref_to_message(message), liked)


@pytest.mark.shows("hide")
async def test_a_comment_is_hidden_and_shown_again(line: Line) -> None:
    if Answering.HIDE not in line.can.answers:
        return
    post = await line.post("Open today")
    comment = line.net.say(by="ana", text="Spam", to=post.remote_id)
    (message,) = await line.heard()
    for _ in range(2):
        await line.connector.hide(ref_to_message(message))
    assert line.net.state.comments[comment].hidden
    await line.connector.unhide(ref_to_message(message))
    assert not line.net.state.comments[comment].hidden


async def test_a_comment_of_somebody_is_deleted_and_doing_it_again_is_done(line: Line) -> None:
    if Answering.DELETE not in line.can.answers:
        return
    post = await line.post("Open today")
    comment = line.net.say(by="ana", text="Spam", to=post.remote_id)
    (message,) = await line.heard()
    for _ in range(2):
        await line.connector.delete(ref_to_message(message))
    taken_away = [entry.remote_id for entry in line.net.world.ledger.of(line.slug, kind="delete")]
    assert taken_away == [message.remote_id]
    assert comment == message.remote_id
    assert line.net.texts() == ["Open today"]


@pytest.mark.shows("edit")
async def test_an_edit_keeps_the_post_and_changes_its_text(line: Line) -> None:
    if not type(line.connector).can.edit:
        return
    line.net.lets_edit()
    line.connector = type(line.connector)(line.http, replace(line.login, limits=(await line.connector.whoami()).limits))
    published = await line.post("Until six")
    what = line.outgoing("Until seven")
    edited = await line.connector.edit(ref_to(published), what, await line.prepared(what))
    assert edited.remote_id == published.remote_id or edited.extra["replaces"] == published.remote_id
    assert line.net.texts() == ["Until seven"]


@pytest.mark.shows("delete")
async def test_a_deletion_takes_the_post_away_and_doing_it_again_is_done(line: Line) -> None:
    if not line.can.delete:
        return
    published = await line.post()
    await line.connector.delete(ref_to(published))
    assert line.net.texts() == []
    await line.connector.delete(ref_to(published))


@pytest.mark.shows("metrics_post", "metrics_account")
async def test_samples_are_those_declared(line: Line) -> None:
    post = await line.post()
    cursor = (await line.connector.messages(cursor="")).cursor if line.can.reads else ""
    line.net.like(by="ana", post_id=post.remote_id)
    # Some networks tell numbers only as news, once asked.
    news = (await line.connector.messages(cursor=cursor)).samples if line.can.reads else {}
    found = {**await line.connector.post_samples([ref_to(post)])}
    told = {**found.get(post.remote_id, {}), **news.get(post.remote_id, {})}
    assert set(told) == set(line.can.post_metrics)
    assert told.get("likes", 1) == 1
    samples = await line.connector.account_samples()
    assert set(samples) == set(line.can.account_metrics)
    assert all(isinstance(samples[name], int) for name in ("followers", "posts") if name in samples)


# Bad days

BAD_DAYS: dict[str, Callable[[Line], None]] = {
    "500 before": lambda line: line.net.faults.will_answer(500, method=line.visible),
    "503 before": lambda line: line.net.faults.will_answer(503, method=line.visible, body="<html>Bad gateway</html>"),
    "500 after": lambda line: line.net.faults.will_do_but_answer(500, method=line.visible),
    "504 after": lambda line: line.net.faults.will_do_but_answer(
        504, method=line.visible, body="<html>Gateway timeout</html>"
    ),
    "dropped before": lambda line: line.net.faults.will_drop(method=line.visible),
    "dropped after": lambda line: line.net.faults.will_lose_answer(method=line.visible),
}


@pytest.mark.parametrize("day", BAD_DAYS)
async def test_when_it_may_have_happened_we_say_so(line: Line, day: str) -> None:
    what = line.outgoing()
    progress = await line.prepared(what)
    BAD_DAYS[day](line)
    with pytest.raises(Unclear):
        await line.connector.commit(what, progress)
    assert line.net.texts() == (["Good morning"] if day.endswith("after") else [])


@pytest.mark.parametrize("day", BAD_DAYS)
async def test_where_a_repeat_is_safe_it_is_one_post_in_the_end(line: Line, day: str) -> None:
    what = line.outgoing(repeat_until=datetime.now(UTC) + HOUR)
    progress = await line.prepared(what)
    BAD_DAYS[day](line)
    if not isinstance(line.can.repeat, Repeatable):
        return
    with pytest.raises(TryLater):
        await line.connector.commit(what, progress)
    published = await line.connector.commit(what, progress)
    assert isinstance(published, Published)
    assert line.net.texts() == ["Good morning"]
    assert {entry.remote_id for entry in line.net.world.ledger.of(line.slug)} == {published.remote_id}


async def test_the_network_says_when_to_come_back(line: Line) -> None:
    what = line.outgoing()
    progress = await line.prepared(what)
    line.net.faults.will_answer(429, method=line.visible)
    with pytest.raises(TryLater) as slowed:
        await line.connector.commit(what, progress)
    assert slowed.value.not_before is not None
    assert slowed.value.not_before > datetime.now(UTC) - timedelta(seconds=2)
    assert line.net.texts() == []


async def test_nobody_at_home_is_tried_later(line: Line) -> None:
    what = line.outgoing()
    progress = await line.prepared(what)
    away = type(line.connector)(line.http, replace(line.login, server="http://127.0.0.1:9"))
    with pytest.raises(TryLater):
        await away.commit(what, progress)


async def test_a_dead_token_asks_a_person(line: Line) -> None:
    what = line.outgoing()
    progress = await line.prepared(what)
    line.net.faults.will_answer(401)
    with pytest.raises(SignInAgain):
        await line.connector.commit(what, progress)


async def test_a_web_page_instead_of_an_answer(line: Line) -> None:
    what = line.outgoing()
    progress = await line.prepared(what)
    line.net.faults.will_do_but_answer(200, body="<html>Welcome</html>", method=line.visible)
    with pytest.raises(Unclear):
        await line.connector.commit(what, progress)
    line.net.faults.will_answer(200, body="<html>Welcome</html>")
    with pytest.raises(Refused):
        await line.connector.whoami()


async def test_a_redirect_is_not_followed(line: Line) -> None:
    what = line.outgoing()
    progress = await line.prepared(what)
    calls: list[Callable[[], Awaitable[Any]]] = [lambda: line.connector.commit(what, progress), line.connector.whoami]
    for call in calls:
        line.net.faults.will_answer(302, headers={"Location": f"{line.net.base}/elsewhere"}, body="")
        with pytest.raises(Refused):
            await call()
    assert line.net.texts() == []


async def test_an_answer_that_lacks_what_we_need(line: Line) -> None:
    what = line.outgoing()
    progress = await line.prepared(what)
    line.net.faults.will_do_but_answer(200, body={}, method=line.visible)
    with pytest.raises(Unclear):
        await line.connector.commit(what, progress)
    line.net.faults.will_answer(200, body={})
    with pytest.raises(NetworkError):
        await line.connector.whoami()


def everywhere(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any], Any]:
    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return change({name: walk(one) for name, one in value.items()})
        return [walk(one) for one in value] if isinstance(value, list) else value

    return walk


async def test_fields_that_nobody_told_us_of_do_no_harm(line: Line) -> None:
    line.net.faults.alter = everywhere(lambda one: {**one, "from_the_future": {"new": [1, None]}})
    post = await line.post()
    if line.can.reads:
        line.net.say(by="ana", text="Lovely", to=post.remote_id)
        (message,) = await line.heard()
        assert "Lovely" in message.text
    assert post.remote_id
    assert (await line.connector.whoami()).remote_id == line.login.remote_id
    await line.connector.account_samples()


async def test_ids_above_2_to_the_53_stay_whole(line: Line) -> None:
    seen = False

    def larger(one: dict[str, Any]) -> dict[str, Any]:
        nonlocal seen
        for name in ("id", "message_id", "publicaly_available_post_id"):
            value = one.get(name)
            if isinstance(value, list):
                one[name], seen = [BIG] * len(value), seen or bool(value)
            if isinstance(value, int | str) and str(value).isdigit():
                one[name], seen = type(value)(BIG), True
        return one

    what = line.outgoing()
    progress = await line.prepared(what)
    line.net.faults.alter = everywhere(larger)
    published = await line.connector.commit(what, progress)
    assert published.remote_id.endswith(str(BIG)) or not seen


async def failures(line: Line) -> AsyncIterator[NetworkError]:
    """An exception of every kind, from reading and from writing."""
    what = line.outgoing()
    progress = await line.prepared(what)
    calls: list[Callable[[], Awaitable[Any]]] = [
        lambda: line.connector.commit(what, progress),
        lambda: line.connector.whoami(),
        *([lambda: line.connector.messages(cursor="")] if line.can.reads else []),
    ]
    for call in calls:
        for status in (400, 401, 403, 404, 409, 413, 422, 429, 500, 503):
            line.net.faults.will_answer(status)
            try:
                await call()
            except NetworkError as exc:
                yield exc
            line.net.faults.clear()
        for bad in (line.net.faults.will_drop, line.net.faults.will_lose_answer):
            bad()
            try:
                await call()
            except NetworkError as exc:
                yield exc
            line.net.faults.clear()


def chain(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__ or exc.__context__


async def test_no_exception_tells_a_secret(line: Line) -> None:
    seen = 0
    async for exc in failures(line):
        for one in chain(exc):
            answer = getattr(one, "answer", None)
            said = [str(one), repr(one), repr(one.args), repr(answer), repr(answer.kept() if answer else "")]
            assert not any(secret in text for secret in line.secrets() for text in said), type(one)
        assert exc.said
        assert "{" not in exc.said
        seen += 1
    assert seen > 16
