"""A throw-away house for measuring the engine: its own database, a sandbox process, and publishers as people run them.

The rows are copies, made inside the database, of one post that was promised through the models: a million of them
takes a minute, and a new column needs no change here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from regie.cli.benchmarks import Report
from regie.cli.django import ready, tell

PATIENCE_SECONDS = 1800.0
AHEAD_SECONDS = 4.0  # between planning and the moment, beside what the copying takes
COPIES_PER_SECOND = 4000
LATER_DAYS = 30
MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 4000

# Every row is a template's, with other keys: jsonb_populate_record keeps the columns it is not told.
COPY = """
CREATE TEMP TABLE plan ON COMMIT DROP AS
SELECT n, a.id AS account_id, a.workspace_id, nextval(pg_get_serial_sequence('studio_post', 'id')) AS post_id,
    nextval(pg_get_serial_sequence('studio_variant', 'id')) AS variant_id,
    nextval(pg_get_serial_sequence('publishing_delivery', 'id')) AS delivery_id,
    %(part)s::jsonb || jsonb_build_object('text', %(prefix)s || n) AS part,
    %(due)s::timestamptz + (n::float8 / %(count)s) * %(spread)s::interval AS due
FROM generate_series(0, %(count)s - 1) AS n
JOIN unnest(%(accounts)s::bigint[]) WITH ORDINALITY AS chosen(id, nth)
    ON nth = CASE WHEN n >= %(count)s - %(alone)s THEN cardinality(%(accounts)s::bigint[])
        ELSE n %% (cardinality(%(accounts)s::bigint[]) - %(alone)s) + 1 END
JOIN accounts_account a ON a.id = chosen.id;
INSERT INTO studio_post SELECT r.* FROM plan p, studio_post t, jsonb_populate_record(t, jsonb_build_object(
    'id', p.post_id, 'workspace_id', p.workspace_id,
    'content', jsonb_build_object('parts', jsonb_build_array(p.part - 'format')))) r WHERE t.id = %(post)s;
INSERT INTO studio_variant SELECT r.* FROM plan p, studio_variant t, jsonb_populate_record(t, jsonb_build_object(
    'id', p.variant_id, 'post_id', p.post_id, 'account_id', p.account_id)) r WHERE t.id = %(variant)s;
INSERT INTO publishing_step SELECT r.* FROM plan p, publishing_step t, jsonb_populate_record(t, jsonb_build_object(
    'id', nextval(pg_get_serial_sequence('publishing_step', 'id')), 'delivery_id', p.delivery_id,
    'key', gen_random_uuid(), 'content', p.part)) r WHERE t.id = %(step)s;
INSERT INTO publishing_delivery SELECT r.* FROM plan p, publishing_delivery t,
    jsonb_populate_record(t, jsonb_build_object(
    'id', p.delivery_id, 'workspace_id', p.workspace_id, 'variant_id', p.variant_id, 'account_id', p.account_id,
    'state', 'scheduled', 'holds', '[]'::jsonb, 'local_at', p.due AT TIME ZONE 'UTC',
    'due_at', p.due, 'next_at', p.due,
    'prepare_at', CASE WHEN %(ahead)s THEN statement_timestamp() END)) r WHERE t.id = %(delivery)s;
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """Deliveries numbered from ``first`` to ``last``, all due at ``due_at``."""

    first: int
    last: int
    due_at: datetime


class House:
    """Django is ready, the tables are there. ``environment`` is what other processes of the house are given."""

    def __init__(self, folder: Path, sandbox: dict[str, Any], stack: ExitStack) -> None:
        self.folder, self.sandbox, self._stack = folder, sandbox, stack
        self.publishers: list[subprocess.Popen[bytes]] = []
        self.accounts: list[int] = []
        self._template: dict[str, Any] = {}
        self._rounds = 0

    # The network

    def address(self, network: str) -> str:
        return str(self.sandbox["networks"][network]["server"])

    def latency(self, network: str, seconds: float) -> None:
        """From now on each answer takes so long."""
        asyncio.run(_post_all(f"{self.address(network)}/_sandbox/faults", [{"latency": seconds}]))

    def ledger(self, network: str) -> list[dict[str, Any]]:
        """What the network accepted."""
        return asyncio.run(_get(f"{self.address(network)}/_sandbox/ledger"))

    # Rows

    def make_accounts(self, network: str, count: int, *, workspaces: int, film: bool = False) -> None:
        """Accounts with sealed tokens, the workspaces taken in turn. ``film``: what is planned on them is a Reel."""
        from regie.accounts.models import Account
        from regie.accounts.opening import seal_credentials
        from regie.people.models import Workspace

        wishes = [{"name": f"bench{number}"} for number in range(count)]
        made = asyncio.run(_post_all(f"{self.address(network)}/_sandbox/account", wishes))
        places = [Workspace.objects.create(name=f"Bench {n}", slug=f"bench-{n}") for n in range(workspaces)]
        rows = Account.objects.bulk_create(
            Account(
                workspace=places[number % workspaces],
                network=network,
                server=one["server"],
                remote_id=one["remote_id"],
                name=one["handle"],
                limits=one.get("limits")
                or ({"software": network, "honours_key": True} if network == "mastodon" else {}),
            )
            for number, one in enumerate(made)
        )
        for row, one in zip(rows, made, strict=True):
            seal_credentials(row, one["credentials"])
        Account.objects.bulk_update(rows, ["sealed_credentials"], batch_size=500)
        self.accounts = [row.pk for row in rows]
        self._template = _template(rows[0], film=film)

    def plan(self, count: int, *, alone: int = 0) -> Planned:
        """So many deliveries, all due at one moment a little ahead. ``alone``: the last so many have the last account
        to themselves, and all others are of the first workspace."""
        from django.utils import timezone

        due = timezone.now() + timedelta(seconds=AHEAD_SECONDS + count / COPIES_PER_SECOND)
        self._rounds += 1
        accounts = self._of_the_first_workspace() + self.accounts[-1:] if alone else self.accounts
        first, last = self._copy(f"Delivery {self._rounds}.", count, due, timedelta(0), accounts, alone)
        return Planned(first, last, due)

    def plan_prepared(self, count: int) -> Planned:
        """The same with what has to be uploaded: once all of it is prepared, the hour is set."""
        from django.utils import timezone

        self._rounds += 1
        later = timezone.now() + timedelta(hours=6)
        first, last = self._copy(f"Delivery {self._rounds}.", count, later, timedelta(0), self.accounts, 0, ahead=True)
        given = {"first": first, "last": last}
        self._wait(
            "SELECT 1 FROM publishing_step WHERE prepared_at IS NULL AND delivery_id BETWEEN %(first)s AND %(last)s",
            given,
        )
        due = timezone.now() + timedelta(seconds=AHEAD_SECONDS)
        _execute(
            "UPDATE publishing_delivery SET due_at = %(due)s, next_at = %(due)s, local_at = %(due)s AT TIME ZONE 'UTC'"
            " WHERE id BETWEEN %(first)s AND %(last)s",
            given | {"due": due},
        )
        return Planned(first, last, due)

    def plan_for_later(self, count: int) -> None:
        """So many more, spread over the days after tomorrow."""
        from django.utils import timezone

        if count:
            tell(f"Planning {count} for later ...")
            later = timezone.now() + timedelta(days=2)
            self._copy("Later ", count, later, timedelta(days=LATER_DAYS), self.accounts, 0)
            _settle()

    def plan_in_days(self, count: int, *, days: int) -> None:
        """So many over the days of next month, from its first."""
        from django.utils import timezone

        self._rounds += 1
        first = (timezone.now() + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        self._copy(f"Month {self._rounds}.", count, first, timedelta(days=days), self.accounts, 0)
        _execute("ANALYZE", {})

    def _of_the_first_workspace(self) -> list[int]:
        from regie.accounts.models import Account

        place = Account.objects.get(pk=self.accounts[0]).workspace_id
        return list(Account.objects.filter(workspace_id=place).order_by("pk").values_list("pk", flat=True))

    def _copy(
        self,
        prefix: str,
        count: int,
        due: datetime,
        spread: timedelta,
        accounts: list[int],
        alone: int,
        *,
        ahead: bool = False,
    ) -> tuple[int, int]:
        given = self._template | {"prefix": prefix, "count": count, "due": due, "spread": spread, "ahead": ahead}
        _execute(COPY, given | {"accounts": accounts, "alone": alone})
        ((last,),) = _rows("SELECT max(id) FROM publishing_delivery", {})
        return last - count + 1, last

    def wait_until_out(self, planned: Planned) -> None:
        """Raises TimeoutError when they are not all out after half an hour."""
        waiting = "SELECT 1 FROM publishing_delivery WHERE id BETWEEN %(first)s AND %(last)s AND state <> 'published'"
        self._wait(waiting, {"first": planned.first, "last": planned.last})

    @staticmethod
    def _wait(some: str, given: dict[str, Any]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while _rows(f"{some} LIMIT 1", given):
            if time.monotonic() > deadline:
                raise TimeoutError("Some deliveries never went out.")
            time.sleep(0.25)

    def lateness(self, planned: Planned) -> tuple[float, ...]:
        """Seconds from the moment they were due until the network had accepted each, the shortest first."""
        asked = """SELECT extract(epoch FROM accepted_at - due_at)::float8 FROM publishing_delivery
            WHERE id BETWEEN %(first)s AND %(last)s ORDER BY 1"""
        return tuple(row[0] for row in _rows(asked, {"first": planned.first, "last": planned.last}))

    def texts_due(self) -> list[str]:
        """What was to go out, once each."""
        asked = "SELECT content->>'text' FROM publishing_step WHERE content->>'text' LIKE %(like)s"
        return [row[0] for row in _rows(asked, {"like": "Delivery %"})]

    def requests(self, planned: Planned) -> Iterator[tuple[str, dict[str, str]]]:
        """The address and headers with which each of them was sent: Mastodon's."""
        from regie.accounts.models import Account
        from regie.accounts.opening import open_credentials

        headers = {
            row.pk: {"Authorization": f"Bearer {open_credentials(row)['access_token']}"}
            for row in Account.objects.filter(pk__in=self.accounts)
        }
        asked = "SELECT account_id FROM publishing_delivery WHERE id BETWEEN %(first)s AND %(last)s ORDER BY id"
        for (account,) in _rows(asked, {"first": planned.first, "last": planned.last}):
            yield f"{self.address('mastodon')}/api/v1/statuses", headers[account]

    def settings(self) -> dict[str, str]:
        """Of the database, as far as they decide what a commit is worth."""
        return {name: _rows(f"SHOW {name}", {})[0][0] for name in ("server_version", "fsync", "synchronous_commit")}

    # Publishers

    def start_publishers(self, count: int, *, in_flight: int) -> None:
        """Each a ``regie publisher``; waits until all of them have reported."""
        from regie.publishing.models import Publisher

        environment = {**os.environ, "REGIE_PUBLISHER_IN_FLIGHT": str(in_flight)}
        for number in range(count):
            log = (self.folder / f"publisher-{number}.log").open("ab")
            self._stack.callback(log.close)
            process = subprocess.Popen(
                [sys.executable, "-m", "regie.cli", "publisher"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            self._stack.callback(stop, process)
            self.publishers.append(process)
        deadline = time.monotonic() + 60
        while Publisher.objects.count() < count:
            if time.monotonic() > deadline:
                raise TimeoutError("The publishers did not start.")
            time.sleep(0.1)

    def publishers_cpu(self) -> float:
        """Seconds of processor time that they have used so far."""
        return sum(_cpu_seconds(process.pid) for process in self.publishers)


def in_a_house(measure: Callable[[House, argparse.Namespace], Report], arguments: argparse.Namespace) -> Report:
    """Runs ``measure`` in a process of its own, in a house that is torn down afterwards."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_inside, args=(measure, arguments, there))
    process.start()
    there.close()
    try:
        report: Report | str = here.recv()
    except EOFError:
        report = "The measuring process ended without a word."
    process.join()
    if isinstance(report, str):
        raise RuntimeError(report)
    return report


def _inside(
    measure: Callable[[House, argparse.Namespace], Report], arguments: argparse.Namespace, answer: Connection
) -> None:
    import traceback

    try:
        with house() as built:
            answer.send(measure(built, arguments))
    except Exception:
        answer.send(traceback.format_exc())


@contextmanager
def house() -> Iterator[House]:
    """In a temporary folder. Changes this process's environment: for a process of its own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="regie-bench-")))
        for name in [name for name in os.environ if name.startswith(("REGIE_", "DATABASE_URL", "DJANGO_"))]:
            del os.environ[name]
        sandbox, process = start_sandbox()
        stack.callback(stop, process)
        hosts = [one["server"].partition("//")[2] for one in sandbox["networks"].values()]
        os.environ["REGIE_URL"] = _shelf(stack)
        os.environ |= {"REGIE_DATA": str(folder / "data"), "REGIE_ALLOWED_HOSTS_OUT": ",".join(hosts)}
        _forget_the_environment()
        stack.enter_context(ready())
        _set_up()
        yield House(folder, sandbox, stack)


def _forget_the_environment() -> None:
    from regie.config.env import env

    env.cache_clear()


def _set_up() -> None:
    from regie.cli.setup import run

    run()


def start_sandbox() -> tuple[dict[str, Any], subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "regie.cli", "sandbox", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    return json.loads(process.stdout.readline()), process


def stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(40)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _cpu_seconds(pid: int) -> float:
    """Of a process and its threads: Linux's /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _template(account: Any, *, film: bool) -> dict[str, Any]:
    """One post promised through the models, held for ever: its rows are copied."""
    from regie.core import clock
    from regie.publishing.models import Delivery, Step
    from regie.studio.models import Post, Variant

    media = [{"file": _film(account.workspace)}] if film else []
    content: dict[str, Any] = {"text": "Template", "media": media}
    post = Post.objects.create(workspace=account.workspace, content={"parts": [content]})
    content |= {"format": "short"} if film else {}
    variant = Variant.objects.create(post=post, account=account)
    due = clock.now() + timedelta(days=3650)
    delivery = Delivery.objects.create(
        workspace=account.workspace,
        variant=variant,
        account=account,
        state="held",
        holds=["frozen"],
        local_at=due.replace(tzinfo=None),
        zone="UTC",
        due_at=due,
        next_at=due,
        post_version=post.version,
        late_minutes=24 * 60,
    )
    step = Step.objects.create(delivery=delivery, position=0, content=content)
    part = json.dumps(content)
    return {"post": post.pk, "variant": variant.pk, "delivery": delivery.pk, "step": step.pk, "part": part}


def _film(workspace: Any) -> int:
    """A megabyte that begins as a Reel does: it goes out as it is, so nobody looks inside."""
    from django.core.files.base import ContentFile

    from regie.media.models import File

    row = File.objects.create(
        workspace=workspace,
        kind=File.Kind.VIDEO,
        name="reel.mp4",
        file=ContentFile(MOVIE, name="reel.mp4"),
        content_type="video/mp4",
        size=len(MOVIE),
        width=1080,
        height=1920,
        sha256="0" * 64,
        seconds=12,
        frame_rate=30,
        video_codec="h264",
        audio_codec="aac",
    )
    return row.pk


class _Shelf(BaseHTTPRequestHandler):
    """Our public address, where networks fetch files: whatever is asked for is the film."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(MOVIE)))
        self.end_headers()
        self.wfile.write(MOVIE)

    def log_message(self, format: str, *given: Any) -> None:
        """Nobody reads it."""


def _shelf(stack: ExitStack) -> str:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shelf)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stack.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_port}"


def _execute(statements: str, given: dict[str, Any]) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements.split(";\n"):
            if statement.strip():
                cursor.execute(statement, given)


def _settle() -> None:
    """What the server would do by itself in the minutes after so many new rows."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def _rows(statement: str, given: dict[str, Any]) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return list(cursor.fetchall())


async def _post_all(url: str, bodies: list[dict[str, Any]]) -> list[Any]:
    """One after the other: the answers in order."""
    import aiohttp

    async with aiohttp.ClientSession() as http:
        answers = []
        for body in bodies:
            async with http.post(url, json=body, raise_for_status=True) as reply:
                answers.append(await reply.json())
        return answers


async def _get(url: str) -> Any:
    import aiohttp

    async with aiohttp.ClientSession() as http, http.get(url, raise_for_status=True) as reply:
        return json.loads(await reply.read())
