"""Health: what a person sees, what a machine that watches is told, and who is told nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client, override_settings

from regie.accounts.models import Account
from regie.community.models import Inbox, InboxAccount, Intake
from regie.core import clock as product_clock
from regie.people.models import Member
from regie.publishing.models import Delivery, Publisher
from regie.studio.models import Post
from regie.web import health as healths

if TYPE_CHECKING:
    from tests.conftest import Clock

LINE = re.compile(r'^(\w+)(?:\{((?:\w+="(?:[^"\\]|\\.)*",?)*)\})? (-?[\d.]+(?:e[+-]?\d+)?)$')
PAGE = "/w/atelier-nord/settings/health/"


@pytest.fixture
def publisher(clock: Clock, db: None) -> Publisher:
    now = product_clock.now()
    return Publisher.objects.create(name="node-1", started_at=now, seen_at=now, skew_ms=12.5, sending=3)


@pytest.fixture
def sent(
    clock: Clock, account: Account, write_post: Callable[..., Post], delivery: Delivery, publish_due: Callable[[], None]
) -> Delivery:
    """One post that went out three seconds after its moment."""
    clock.advance(seconds=3)
    publish_due()
    delivery.refresh_from_db()
    return delivery


def measured(text: str) -> dict[str, float]:
    """Every sample of a page of metrics, by its name with labels; each line must be one the format knows."""
    found, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _hash, _type, name, kind = line.split(" ")
            assert name not in types
            types[name] = kind
        elif not line.startswith("# HELP "):
            match = LINE.match(line)
            assert match, line
            family = re.sub(r"_(bucket|sum|count)$", "", match[1])
            assert match[1] in types or types.get(family) == "histogram", line
            found[f"{match[1]}{{{match[2] or ''}}}"] = float(match[3])
    return found


@pytest.mark.django_db(transaction=True)
def test_the_metrics_tell_of_publishers_deliveries_and_punctuality(sent: Delivery, publisher: Publisher) -> None:
    found = measured(Client().get("/metrics", HTTP_HOST="localhost:8000").text)
    assert found['regie_publisher_alive{name="node-1"}'] == 1
    assert found['regie_publisher_clock_skew_seconds{name="node-1"}'] == 0.0125
    assert found['regie_delivery{state="published"}'] == 1
    assert found["regie_delivery_due{}"] == 0
    assert found['regie_publish_late_seconds_bucket{le="2"}'] == 0
    assert found['regie_publish_late_seconds_bucket{le="5"}'] == 1
    assert found['regie_publish_late_seconds_bucket{le="+Inf"}'] == 1
    assert found["regie_publish_late_seconds_count{}"] == 1
    assert 3 <= found["regie_publish_late_seconds_sum{}"] < 5
    assert found['regie_lease{state="expired"}'] == 0


def test_a_publisher_that_fell_silent_and_a_due_post_are_seen(
    clock: Clock, publisher: Publisher, delivery: Delivery
) -> None:
    clock.advance(seconds=40)
    found = measured(Client().get("/metrics", HTTP_HOST="127.0.0.1").text)
    assert found['regie_publisher_alive{name="node-1"}'] == 0
    assert found["regie_delivery_due{}"] == 1
    assert found["regie_delivery_due_oldest_seconds{}"] >= 40


def test_webhooks_nobody_understood_are_counted(clock: Clock, account: Account) -> None:
    inbox = Inbox.objects.create(network="mastodon", key="account:1")
    InboxAccount.objects.update_or_create(account=account, defaults={"inbox": inbox})
    Intake.objects.create(inbox=inbox, body=b"{}", done_at=clock.moment, problem="What is this?")
    Intake.objects.create(inbox=inbox, body=b"{}")
    Intake.objects.create(inbox=inbox, body=b"{}", received_at=clock.moment - timedelta(days=2))
    seen = healths.health().webhooks
    assert (seen.day, seen.unknown, seen.waiting, seen.last_at) == (2, 1, 2, clock.moment)


def test_a_job_that_waits_is_seen_with_its_age(db: None) -> None:
    from regie.accounts.tasks import refresh

    refresh.configure(queue="quiet").defer(account_id=1)
    (queue,) = [one for one in healths.queues() if one.name == "quiet"]
    assert (queue.waiting, queue.running, queue.failed) == (1, 0, 0)
    assert 0 <= queue.oldest < 30


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"HTTP_HOST": "localhost"}, 200),
        ({"HTTP_HOST": "[::1]:8000", "REMOTE_ADDR": "::1"}, 200),
        ({"HTTP_HOST": "regie.example.org"}, 404),
        ({"HTTP_HOST": "localhost", "REMOTE_ADDR": "192.0.2.7"}, 404),
        ({"HTTP_HOST": "localhost", "HTTP_X_FORWARDED_FOR": "192.0.2.7"}, 404),
        ({"HTTP_HOST": "localhost", "HTTP_VIA": "1.1 proxy"}, 404),
    ],
)
def test_without_a_token_only_this_machine_reads_the_metrics(db: None, headers: dict[str, str], status: int) -> None:
    assert Client().get("/metrics", **headers).status_code == status  # type: ignore[arg-type]


@override_settings(METRICS_TOKEN="s3cret")
def test_with_a_token_whoever_shows_it_reads_the_metrics(db: None) -> None:
    ask = Client()
    assert ask.get("/metrics", HTTP_HOST="localhost").status_code == 404
    assert ask.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    assert (
        ask.get("/metrics", headers={"Authorization": "Bearer s3cret", "Host": "regie.example.org"}).status_code == 200
    )


def test_ready_means_that_a_publisher_is_alive(clock: Clock, db: None, publisher: Publisher) -> None:
    ready = Client().get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "why": []})
    clock.advance(seconds=16)
    silent = Client().get("/readyz")
    assert (silent.status_code, silent.json()) == (503, {"ready": False, "why": ["publisher"]})
    assert Client().get("/healthz").status_code == 200


def test_a_publisher_that_only_uploads_videos_does_not_make_it_ready(
    clock: Clock, db: None, publisher: Publisher, alice: Member, signed_in: Callable[[Member], Client]
) -> None:
    Publisher.objects.update(given_to="video")
    assert Client().get("/readyz").status_code == 503
    page = signed_in(alice).get(PAGE).text
    assert "No publisher is at work" in page
    Publisher.objects.update(given_to="rest")
    assert Client().get("/readyz").status_code == 200


def test_missing_tables_are_said(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    monkeypatch.setattr(healths, "_tables_are_there", False)
    MigrationRecorder.Migration.objects.filter(app="publishing").delete()
    assert Client().get("/readyz").json() == {"ready": False, "why": ["migrations"]}


@pytest.mark.django_db(transaction=True)
def test_the_page_shows_the_histogram_with_a_table_and_the_machine_room_to_operators(
    sent: Delivery, publisher: Publisher, alice: Member, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    page = signed_in(bob).get(PAGE).text
    assert "Publishing works" in page
    assert "1 post, 100.0 % within a minute" in page
    assert "As a table" in page
    assert "node-1" not in page
    alice.user.is_operator = True
    alice.user.save()
    assert "node-1" in signed_in(alice).get(PAGE).text
    assert signed_in(alice).get("/w/all/settings/health/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_others_clients_are_not_counted(sent: Delivery, charlie: Member, signed_in: Callable[[Member], Client]) -> None:
    page = signed_in(charlie).get("/w/velo-club/settings/health/").text
    assert "Nothing is promised yet" in page
    assert "No publisher is at work" in page
