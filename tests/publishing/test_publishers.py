"""Publishers that die, that race each other, that share: nothing lost, nothing doubled, nobody starved."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction
from django.test import Client

from regie.accounts.models import Account
from regie.core import clock
from regie.core.times import WallTime
from regie.people.models import Member
from regie.publishing import services
from regie.publishing.engine import claim, record
from regie.publishing.engine.database import Database, address
from regie.publishing.engine.publisher import PATIENCE, POLL, SWEEP, WRITING, Publisher, run
from regie.publishing.engine.record import Intent
from regie.publishing.engine.work import LEASE
from regie.publishing.models import Attempt, Delivery, Lane
from regie.publishing.models import Publisher as PublisherRow
from regie.publishing.queries import SILENT
from regie.studio import services as studio
from regie.studio.content import Content, Part
from regie.studio.models import Post
from regie.studio.services import Given, Written

from .going import state_of

if TYPE_CHECKING:
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Waits for something that another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.05)


@pytest.fixture
def start_publisher(mastodon: Sandbox) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts ``regie publisher`` on the test's database; kills what is left of them. ``lease``: its seconds."""
    started = []

    def start(lease: float = 10) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "DATABASE_URL": _url(),
            "REGIE_ALLOWED_HOSTS_OUT": mastodon.base,
            "REGIE_PUBLISHER_LEASE": str(lease),
        }
        started.append(subprocess.Popen([sys.executable, "-m", "regie.cli", "publisher"], env=environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
    with connection.cursor() as cursor:  # the database's side of a killed process may take a while to see it
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name <> current_setting('application_name')"
        )


def _url() -> str:
    from urllib.parse import quote, urlencode

    given = connection.settings_dict
    query = urlencode({"host": given["HOST"], "port": given["PORT"]}) if given["HOST"].startswith("/") else ""
    place = "" if query else f"{given['HOST']}:{given['PORT']}"
    secret = quote(given["PASSWORD"], safe="")
    return f"postgresql://{given['USER']}:{secret}@{place}/{given['NAME']}" + (f"?{query}" if query else "")


@pytest.mark.parametrize("accepted", [True, False], ids=["after acceptance", "before acceptance"])
def test_a_publisher_killed_while_sending_leaves_a_doubt_that_is_settled_with_one_post(
    mastodon: Sandbox,
    account: Account,
    post: Post,
    bob: Member,
    publish_due: Callable[[], None],
    start_publisher: Callable[..., subprocess.Popen[bytes]],
    accepted: bool,
    request: pytest.FixtureRequest,
) -> None:
    if accepted:
        mastodon.will_delay(90, method="POST", path="statuses")  # carried out, but the answer takes long
    else:
        mastodon.faults.will_drop(method="POST", path="statuses")
        mastodon.faults.latency = 2
    doomed = start_publisher()
    delivery = services.publish_now(post=post, by=bob)[0]
    until(lambda: state_of(delivery) == "sending")
    if accepted:
        until(lambda: mastodon.accepted())
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    mastodon.faults.latency = 0
    assert state_of(delivery) == "sending"

    ours = request.getfixturevalue("clock")
    mastodon.itself.world.clock.advance(timedelta(minutes=3))
    ours.set(datetime.now(UTC) + timedelta(minutes=3))  # the lease is over, and the attempt's deadline
    publish_due()
    ours.advance(minutes=1)
    publish_due()
    assert state_of(delivery) == "published"
    assert [entry.remote_id for entry in mastodon.accepted("post")] == [delivery.remote_id]
    assert Attempt.objects.filter(kind="commit").order_by("pk")[0].outcome == ""  # nobody lived to write it


@pytest.fixture
def five(account: Account, write_post: Callable[..., Post], bob: Member) -> Callable[[], None]:
    """Plans five posts of one account for this moment: two go at a time, three wait for their turn."""

    def send_off() -> None:
        now = WallTime.at(clock.now(), "Europe/Paris")
        with transaction.atomic():
            for number in range(5):
                services.schedule(post=write_post(f"Post {number}", on=[account]), at=now, by=bob)

    return send_off


def states() -> list[str]:
    return sorted(Delivery.objects.values_list("state", flat=True))


def test_a_publisher_told_to_stop_finishes_what_it_sends_and_gives_back_the_rest(
    mastodon: Sandbox,
    five: Callable[[], None],
    start_publisher: Callable[..., subprocess.Popen[bytes]],
    publish_due: Callable[[], None],
) -> None:
    mastodon.faults.latency = 2
    leaving = start_publisher()
    until(PublisherRow.objects.exists)
    five()
    until(lambda: states().count("sending") == 2)
    began = time.monotonic()
    leaving.send_signal(signal.SIGTERM)
    assert leaving.wait(30) == 0
    assert time.monotonic() - began < 10
    assert states() == ["published", "published", "scheduled", "scheduled", "scheduled"]
    assert not Lane.objects.exclude(lease=None).exists()
    mastodon.faults.latency = 0
    publish_due()
    assert states() == ["published"] * 5
    assert sorted(entry.text for entry in mastodon.accepted()) == [f"Post {number}" for number in range(5)]


def test_the_work_of_a_publisher_that_died_is_taken_over_when_its_lease_runs_out(
    mastodon: Sandbox, five: Callable[[], None], start_publisher: Callable[..., subprocess.Popen[bytes]]
) -> None:
    mastodon.faults.latency = 30
    doomed = start_publisher(lease=2)
    until(PublisherRow.objects.exists)
    five()
    until(lambda: states().count("sending") == 2)
    assert states().count("claimed") == 3
    start_publisher(lease=2)
    until(lambda: PublisherRow.objects.count() == 2)
    doomed.kill()
    doomed.wait()
    died = time.monotonic()
    mastodon.faults.latency = 0
    until(lambda: states().count("published") >= 3, 30)  # the three of which nothing had been said
    assert time.monotonic() - died < 2 + 0.4 + 4  # the lease, a sweep, and the machine's own slowness
    until(lambda: states().count("unclear") == 2)  # of which something may have been said


def test_a_publisher_that_died_is_noticed_within_fifteen_seconds() -> None:
    assert LEASE.total_seconds() + SWEEP + POLL <= 15
    assert timedelta(seconds=15) >= SILENT
    assert PATIENCE + WRITING < 30  # and one that is told to stop has left before that


def test_whoever_watches_misses_a_killed_publisher_within_fifteen_seconds(
    alice: Member,
    signed_in: Callable[[Member], Client],
    start_publisher: Callable[..., subprocess.Popen[bytes]],
) -> None:
    doomed, ask = start_publisher(), Client()
    until(lambda: ask.get("/readyz").status_code == 200)
    assert _alive(ask) == [1]
    doomed.kill()
    doomed.wait()
    killed = ready = time.monotonic()
    while True:
        asked = time.monotonic()
        if ask.get("/readyz").status_code != 200:
            break
        ready = asked
        assert asked - killed < 60
        time.sleep(0.2)
    assert ready - killed <= 15
    assert ask.get("/readyz").json() == {"ready": False, "why": ["publisher"]}
    assert ask.get("/healthz").status_code == 200  # this process is well
    assert _alive(ask) == [0]
    assert "No publisher is at work" in signed_in(alice).get("/w/atelier-nord/settings/health/").text


def _alive(ask: Client) -> list[int]:
    lines = ask.get("/metrics", headers={"Host": "localhost"}).text.splitlines()
    return [int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("regie_publisher_alive{")]


def test_a_publisher_that_dies_with_claimed_deliveries_gives_them_back(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    async def die() -> None:
        async with Database(2) as database:
            assert len(await claim.claim(database, most=5, publisher="dead")) == 1

    asyncio.run(die())
    assert state_of(delivery) == "claimed"
    publish_due()
    assert (state_of(delivery), mastodon.texts()) == ("claimed", [])  # somebody may still be at it
    clock.advance(seconds=11)
    publish_due()
    assert (state_of(delivery), mastodon.texts()) == ("published", ["Good morning"])


def _intent(delivery: Delivery, lane: claim.Lane) -> Intent:
    (held,) = lane.deliveries
    (step,) = held.steps
    assert held.lease is not None
    return Intent(
        delivery_id=held.id,
        lease=held.lease,
        state="claimed",
        step_id=step.id,
        number=1,
        fingerprint="",
        progress={},
        content=step.content,
        post_version=held.post_version,
    )


def test_what_is_due_in_a_moment_is_claimed_ahead_and_leaves_at_its_hour(
    mastodon: Sandbox, post: Post, bob: Member, start_publisher: Callable[..., subprocess.Popen[bytes]]
) -> None:
    start_publisher()
    until(PublisherRow.objects.exists)
    due = datetime.now(UTC) + timedelta(seconds=2.5)
    local = WallTime(due.replace(tzinfo=None), "UTC")
    (delivery,) = services.schedule(post=post, at=local, by=bob)
    until(lambda: state_of(delivery) != "scheduled")
    assert (state_of(delivery), mastodon.texts()) == ("claimed", [])
    until(lambda: state_of(delivery) == "published")
    assert delivery.claimed_at is not None
    assert delivery.sent_at is not None
    assert delivery.accepted_at is not None
    assert delivery.claimed_at < due
    assert due - timedelta(milliseconds=100) < delivery.sent_at <= delivery.accepted_at  # as clocks agree under load


def test_what_was_saved_after_a_claim_ahead_is_what_goes_out(
    mastodon: Sandbox, post: Post, bob: Member, start_publisher: Callable[..., subprocess.Popen[bytes]]
) -> None:
    start_publisher()
    until(PublisherRow.objects.exists)
    due = datetime.now(UTC) + timedelta(seconds=3)
    (delivery,) = services.schedule(post=post, at=WallTime(due.replace(tzinfo=None), "UTC"), by=bob)
    until(lambda: state_of(delivery) == "claimed")
    written = Written(content=Content(parts=[Part(text="As of now")]), on={delivery.account_id: Given()})
    studio.save(post=post, workspace=post.workspace, written=written, version=post.version, by=bob)
    until(lambda: state_of(delivery) == "published")
    assert mastodon.texts() == ["As of now"]


def test_a_publisher_that_dies_between_the_intent_and_the_call_does_not_lose_the_post(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, publish_due: Callable[[], None]
) -> None:
    async def die() -> None:
        async with Database(2) as database:
            (lane,) = await claim.claim(database, most=5, publisher="dead")
            assert (await record.begin(database, [_intent(delivery, lane)]))[0] is not None

    asyncio.run(die())
    assert state_of(delivery) == "sending"
    for _ in range(4):
        clock.advance(minutes=1)
        publish_due()
    assert (state_of(delivery), mastodon.texts()) == ("published", ["Good morning"])


@pytest.mark.parametrize(
    "meanwhile",
    ["the lease ran out", "a freeze", "cancelled", "paused"],
)
def test_nothing_may_be_sent_that_is_no_longer_ours_to_send(
    clock: Clock, mastodon: Sandbox, delivery: Delivery, bob: Member, meanwhile: str
) -> None:
    async def try_it() -> object:
        async with Database(2) as database:
            (lane,) = await claim.claim(database, most=5, publisher="slow")
            await asyncio.to_thread(change)
            return (await record.begin(database, [_intent(delivery, lane)]))[0]

    def change() -> None:
        match meanwhile:
            case "the lease ran out":
                clock.advance(seconds=11)
            case "a freeze":
                services.freeze(delivery.account, why="x", by=bob)
            case "cancelled":
                services.cancel(delivery, by=bob)
            case "paused":
                type(delivery.account).objects.update(state="paused")
        connection.close()

    assert asyncio.run(try_it()) is None
    assert not Attempt.objects.exists()


def test_two_publishers_never_send_the_same(
    clock: Clock,
    mastodon: Sandbox,
    connect: Callable[..., Account],
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
) -> None:
    accounts = [connect(mastodon, f"shop{number}") for number in range(8)]
    for number in range(40):
        promise(write_post(f"Post {number}", on=[accounts[number % 8]]))
    mastodon.faults.latency = 0.02

    async def both() -> None:
        async with Publisher(name="one", in_flight=3).open() as one, Publisher(name="two", in_flight=3).open() as two:
            await asyncio.gather(one.drain(), two.drain())

    asyncio.run(both())
    assert sorted(entry.text for entry in mastodon.accepted()) == sorted(f"Post {number}" for number in range(40))
    assert Delivery.objects.filter(state="published").count() == 40
    assert len({row.publisher for row in Delivery.objects.all()}) == 2
    assert not Lane.objects.exclude(lease=None, next_at=None).exists()


def test_a_workspace_with_much_to_send_does_not_keep_another_waiting(
    clock: Clock,
    mastodon: Sandbox,
    connect: Callable[..., Account],
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
    charlie: Member,
) -> None:
    for number in range(12):
        account = connect(mastodon, f"shop{number}")
        for _ in range(4):
            promise(write_post("One of many", on=[account]))
    alone = connect(mastodon, "velo", by=charlie)
    post = write_post("The only one", on=[alone], by=charlie)
    services.schedule(post=post, at=WallTime.at(clock.moment, "Europe/Paris"), by=charlie)

    async def one_at_a_time() -> None:
        async with Publisher(name="one", in_flight=1).open() as one:
            await one.drain()

    asyncio.run(one_at_a_time())
    order = [entry.text for entry in mastodon.accepted()]
    assert len(order) == 49
    assert order.index("The only one") <= 8  # after two turns of the other workspace at most


def test_a_running_publisher_hears_of_what_is_due_at_once_and_leaves_in_order(
    mastodon: Sandbox, account: Account, post: Post, bob: Member
) -> None:
    stop, loop = asyncio.Event(), asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run(name="here", stop=stop)))
    thread.start()
    try:
        until(lambda: PublisherRow.objects.exists())
        delivery = services.publish_now(post=post, by=bob)[0]
        until(lambda: state_of(delivery) == "published", 5)
        assert delivery.sent_at is not None
        assert delivery.sent_at - delivery.due_at < timedelta(seconds=2)
        frozen = services.freeze(account, why="x", by=bob)
        assert frozen.lifted_at is None
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(15)
        loop.close()
    assert not thread.is_alive()
    row = PublisherRow.objects.get()
    assert abs(row.skew_ms) < 1000


def test_the_engine_speaks_to_the_tests_own_database() -> None:
    assert connection.settings_dict["NAME"] in address()
