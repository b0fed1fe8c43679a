"""``regie sandbox`` as a process of its own: one line of JSON, then any client can work."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from regie_sandbox.registry import slugs

RUN = (
    "import sys; from pathlib import Path; from regie_sandbox.main import run; "
    "sys.exit(run(data=Path(sys.argv[1]), live=True))"
)
Start = Callable[[], tuple["subprocess.Popen[str]", dict[str, Any]]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def go() -> tuple[subprocess.Popen[str], dict[str, Any]]:
        process = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return process, json.loads(process.stdout.readline())

    yield go
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def ask(url: str, token: str = "", **fields: Any) -> Any:
    request = urllib.request.Request(url, headers={"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    data = json.dumps(fields).encode() if fields else None
    with urllib.request.urlopen(request, data, timeout=10) as reply:
        return json.load(reply)


def test_one_line_says_where_everything_is_and_a_restart_remembers(start: Start) -> None:
    process, said = start()
    assert set(said["networks"]) == set(slugs())
    mastodon = said["networks"]["mastodon"]
    ask(f"{mastodon['api_url']}/api/v1/statuses", mastodon["token"], status="kept")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0

    _, said = start()
    again = said["networks"]["mastodon"]
    assert again["token"] == mastodon["token"]
    assert ask(f"{again['api_url']}/_sandbox/state")["texts"] == ["kept"]


def test_ninety_days_are_played_in_seconds(start: Start) -> None:
    _, said = start()
    mastodon, control = said["networks"]["mastodon"], f"{said['control']}/_sandbox/clock"
    begun = datetime.now(UTC) - timedelta(days=90)
    ask(control, set=begun.isoformat())
    ready = ask(f"{mastodon['api_url']}/_sandbox/account", name="atelier", followers=50, topics={"linen": 2.0})
    token = ready["credentials"]["access_token"]
    for day in range(0, 90, 3):
        ask(control, set=(begun + timedelta(days=day, hours=1)).isoformat())
        ask(f"{mastodon['api_url']}/api/v1/statuses", token, status=f"Day {day}, linen")
    assert ask(control, mode="real")["real"] is True
    me = ask(f"{mastodon['api_url']}/api/v1/accounts/verify_credentials", token)
    assert me["statuses_count"] == 30
    assert me["followers_count"] > 50
    heard = ask(f"{mastodon['api_url']}/api/v1/notifications?limit=80", token)
    assert len(heard) == 80
    assert heard[-1]["created_at"] < heard[0]["created_at"] <= datetime.now(UTC).isoformat()
    ask(f"{mastodon['api_url']}/_sandbox/crisis", name="atelier", hours=1)


def test_a_bad_day_is_steered_and_counted_from_outside(start: Start) -> None:
    _, said = start()
    mastodon, bluesky = said["networks"]["mastodon"], said["networks"]["bluesky"]
    faults = f"{mastodon['api_url']}/_sandbox/faults"
    ask(faults, tidy=True, keys_honoured=False, kind="answer", status=503, method="POST")
    with pytest.raises(urllib.error.HTTPError, match="503"):
        ask(f"{mastodon['api_url']}/api/v1/statuses", mastodon["token"], status="x")
    posted = ask(f"{mastodon['api_url']}/api/v1/statuses", mastodon["token"], status="Look  at https://example.org/")
    assert "Look at example.org" in posted["content"]
    assert ask(faults) == {"503": 1}
    assert ask(f"{bluesky['api_url']}/_sandbox/expire", now=True)["expired"] >= 1
    with pytest.raises(urllib.error.HTTPError, match="400"):
        ask(f"{bluesky['api_url']}/xrpc/com.atproto.server.getSession", bluesky["token"])
