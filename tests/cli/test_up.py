"""``regie up`` for real: it starts, survives what happens to processes, says what is wrong, and leaves nothing."""

from __future__ import annotations

import os
import re
import signal
import socket
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from regie.cli.benchmarks.installation import Installation, eventually, wait_until_gone
from regie.core import embedded

pytestmark = pytest.mark.xdist_group("installation")
ROLES = ("regie web", "regie publisher", "regie worker")


@contextmanager
def database(of: Installation) -> Iterator[psycopg.Connection]:
    with embedded.ensure(of.data) as share, psycopg.connect(share.url, autocommit=True) as connection:
        yield connection


def answer(of: Installation, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and body, redirects followed, errors included. Status 0: nobody answers."""
    try:
        with of.open(path, **headers) as reply:
            return reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.read()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, {name.lower(): value for name, value in exc.headers.items()}, exc.read()
    except OSError:
        return 0, {}, b""


def is_up(of: Installation) -> bool:
    """Whether the page can be used, a publisher reports, and a worker's heart beats: all within the last seconds."""
    if answer(of, "/")[0] != 200:
        return False
    with suppress(psycopg.Error), database(of) as connection:
        seen = connection.execute(
            "SELECT (SELECT max(seen_at) FROM publishing_publisher) > now() - interval '7 seconds'"
            " AND (SELECT max(last_heartbeat) FROM procrastinate_workers) > now() - interval '12 seconds'"
        ).fetchone()
        return seen == (True,)
    return False


def test_the_first_page_leads_to_creating_the_owner(running: Installation) -> None:
    with running.open("/") as reply:
        assert reply.url == f"{running.url}/welcome/"
        page = reply.read().decode()
    assert 'name="password"' in page
    assert 'name="code"' not in page  # only this machine can come here


def test_a_healthy_product_says_so(running: Installation) -> None:
    status, _, body = answer(running, "/healthz")
    assert (status, body) == (200, b'{"ready": true}')
    assert eventually(lambda: is_up(running))


def test_every_answer_carries_the_content_security_policy(running: Installation) -> None:
    page = answer(running, "/")[2].decode()
    static = re.search(r'"(/static/[^"]+\.css)"', page)
    assert static is not None
    for path in ("/", "/healthz", "/nowhere/", static[1], "/api/"):
        policy = answer(running, path)[1]["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


def test_style_and_scripts_come_compressed_and_stay_in_the_browser(running: Installation) -> None:
    page = answer(running, "/")[2].decode()
    for path in re.findall(r'"(/static/[^"]+\.(?:css|js))"', page):
        _, headers, _ = answer(running, path, **{"Accept-Encoding": "br, gzip"})
        assert headers["content-encoding"] == "br", path
        assert headers["cache-control"] == "max-age=315360000, public, immutable", path


def test_french_is_spoken_to_whoever_asks_for_it(running: Installation) -> None:
    assert "Bienvenue" in answer(running, "/", **{"Accept-Language": "fr"})[2].decode()


def test_a_foreign_host_is_refused(running: Installation) -> None:
    assert answer(running, "/account/login/", Host="evil.example")[0] == 400


def test_a_forwarded_protocol_is_not_believed_without_a_proxy(running: Installation) -> None:
    headers = answer(running, "/account/login/", **{"X-Forwarded-Proto": "https"})[1]
    assert "strict-transport-security" not in headers


def test_what_is_too_big_is_turned_away_unread(running: Installation) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as line:
        line.sendall(
            b"POST /account/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n"
            b"Content-Length: 3000000000\r\n\r\n"
        )
        assert b" 413 " in line.recv(200)


def test_a_second_start_on_the_same_data_says_so(running: Installation) -> None:
    ended = running.run("up", REGIE_PORT="0" if running.port == 1 else str(running.port))
    assert ended.returncode == 1
    assert "already runs with the data in" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_role_that_is_killed_comes_back(running: Installation) -> None:
    assert eventually(lambda: is_up(running))
    before = {pid for role in ROLES for pid in running.pids(role)}
    for pid in before:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: all(set(running.pids(role)) - before for role in ROLES))
    assert eventually(lambda: is_up(running))


def test_only_the_process_behind_the_port_is_killed(running: Installation) -> None:
    (*_, worker) = running.pids("regie web")
    os.kill(worker, signal.SIGKILL)
    assert eventually(lambda: worker not in running.pids("regie web") and answer(running, "/")[0] == 200)


def test_a_killed_database_comes_back_under_the_roles(running: Installation) -> None:
    with database(running) as connection:
        row = connection.execute("SELECT pg_postmaster_start_time()").fetchone()
    roles = {pid for role in ROLES for pid in running.pids(role)}
    (postmaster,) = running.pids("bin/postgres -D")
    os.kill(postmaster, signal.SIGKILL)
    assert eventually(lambda: is_up(running))
    with database(running) as connection:
        assert connection.execute("SELECT pg_postmaster_start_time()").fetchone() != row
    assert {pid for role in ROLES for pid in running.pids(role)} == roles  # none of them had to start again


def test_a_database_that_is_away_is_told_in_a_sentence_until_it_is_back(running: Installation) -> None:
    assert running.process is not None
    running.process.send_signal(signal.SIGSTOP)  # so that it cannot bring the database back
    try:
        (keeper,) = running.pids("embedded.keeper")
        os.kill(keeper, signal.SIGKILL)
        assert eventually(lambda: answer(running, "/healthz")[0] == 503)
        status, headers, body = answer(running, "/account/login/", **{"Accept-Language": "en"})
        assert (status, headers["retry-after"]) == (503, "10")
        assert "Traceback" not in body.decode()
        assert "default-src 'none'" in headers["content-security-policy"]
    finally:
        running.process.send_signal(signal.SIGCONT)
    assert eventually(lambda: is_up(running))


def test_the_log_has_one_line_per_event_and_no_secret(running: Installation) -> None:
    lines = running.log.read_text().splitlines()
    stray = [line for line in lines if re.match(r"\s+File |Traceback|\w*Error:", line)]
    assert not stray
    roles = [line for line in lines if re.match(r"(web|publisher|worker) +\S", line)]
    assert roles
    everything = "\n".join(lines)
    for secret in ("secret_key", "sealing_key", "postgres/password"):
        assert (running.data / secret).read_text().split()[0] not in everything


def test_killed_whole_it_leaves_no_process_and_starts_again(running: Installation) -> None:
    assert running.process is not None
    with database(running) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    running.process.kill()
    running.process.wait()
    running.process = None
    assert not wait_until_gone(running, 60)
    running.start()
    with database(running) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_ctrl_c_stops_everything_within_seconds(running: Installation) -> None:
    assert running.process is not None
    assert eventually(lambda: is_up(running))
    code, seconds = running.stop(signal.SIGINT)
    assert code == 0
    assert seconds < 25  # a few seconds on a machine that has nothing else to do
    assert not wait_until_gone(running)
