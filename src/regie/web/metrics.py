"""``/metrics``: what ``health`` says of the whole installation, in Prometheus' text format 0.0.4.

Every value is read from the database when it is asked for: web processes keep none, so any of them may answer.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest

from regie.web.health import Health, health

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_VIA")
HERE = {"localhost", "127.0.0.1", "[::1]"}
Sample = tuple[str, Mapping[str, object], float]
"""Suffix of the name, labels, value."""


def may_read(request: HttpRequest) -> bool:
    """With a token set: who shows it. Without: only who asks this very machine, by its own name and by no proxy."""
    if token := settings.METRICS_TOKEN:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(shown.encode(), token.encode())
    host = request.META.get("HTTP_HOST", "").lower()
    name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
    return name in HERE and _is_loopback(request) and not any(name in request.META for name in FORWARDED)


def _is_loopback(request: HttpRequest) -> bool:
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def text() -> str:
    return "".join(_families(health()))


def _families(found: Health) -> Iterator[str]:
    yield from _engine(found)
    yield from _outside(found)
    yield _family("regie_job_waiting", "gauge", "Jobs that wait.", ((q.name, q.waiting) for q in found.queues), "queue")
    yield _family("regie_job_running", "gauge", "Jobs at work.", ((q.name, q.running) for q in found.queues), "queue")
    yield _family("regie_job_failed", "gauge", "Jobs given up.", ((q.name, q.failed) for q in found.queues), "queue")
    yield _family(
        "regie_job_oldest_seconds",
        "gauge",
        "How long the oldest job that may run has waited.",
        ((q.name, q.oldest) for q in found.queues),
        "queue",
    )
    late = found.punctuality
    rows: list[Sample] = [("_bucket", {"le": _number(edge)}, float(many)) for edge, many in late.cumulative]
    rows += [("_bucket", {"le": "+Inf"}, late.sent), ("_sum", {}, late.total), ("_count", {}, late.sent)]
    yield _drawn(
        "regie_publish_late_seconds", "histogram", "Sent after the promised moment, over the last 30 days.", rows
    )


def _engine(found: Health) -> Iterator[str]:
    seen = found.publishers
    yield _family("regie_publisher_alive", "gauge", "1: seen within 15 s.", ((p.name, p.alive) for p in seen), "name")
    yield _family(
        "regie_publisher_clock_skew_seconds",
        "gauge",
        "Its clock minus the database's.",
        ((p.name, p.skew_ms / 1000) for p in seen),
        "name",
    )
    yield _family("regie_publisher_sending", "gauge", "Calls under way.", ((p.name, p.sending) for p in seen), "name")
    yield _one("regie_delivery_due", "Due deliveries that no publisher has taken.", found.due)
    yield _one("regie_delivery_due_oldest_seconds", "How long the oldest of them has waited.", found.due_age or 0)
    yield _family("regie_delivery", "gauge", "Deliveries by state.", found.states.items(), "state")
    leases = {"held": found.leases.held, "expired": found.leases.expired}
    yield _family("regie_lease", "gauge", "Leases of deliveries and lanes.", leases.items(), "state")


def _outside(found: Health) -> Iterator[str]:
    quotas: list[Sample] = [
        ("", {"account": one.account.pk, "network": one.account.network, "quota": one.name}, float(one.left))
        for one in found.quotas
    ]
    yield _drawn("regie_quota_left", "gauge", "Calls that the network still allows.", quotas)
    yield _one("regie_account_broken", "Accounts to connect again.", len(found.broken))
    yield _one("regie_account_token_ending", "Accounts that only a person can keep connected, soon.", len(found.ending))
    yield _one("regie_webhook_day", "Deliveries by webhook in the last 24 hours.", found.webhooks.day)
    yield _one("regie_webhook_unknown_day", "Those of them that nobody understood.", found.webhooks.unknown)
    yield _one("regie_webhook_waiting", "Those not worked on yet.", found.webhooks.waiting)
    last = found.webhooks.last_at
    yield _one("regie_webhook_last_timestamp_seconds", "When the last one came.", last.timestamp() if last else 0)


def _one(name: str, help_: str, value: float) -> str:
    return _drawn(name, "gauge", help_, [("", {}, float(value))])


def _family(name: str, kind: str, help_: str, rows: Iterable[tuple[str, float]], label: str) -> str:
    return _drawn(name, kind, help_, [("", {label: key}, float(value)) for key, value in rows])


def _drawn(name: str, kind: str, help_: str, rows: Iterable[Sample]) -> str:
    lines = [f"# HELP {name} {help_}", f"# TYPE {name} {kind}"]
    for suffix, labels, value in rows:
        inside = ",".join(f'{key}="{_escaped(str(one))}"' for key, one in labels.items())
        lines.append(f"{name}{suffix}{{{inside}}} {_number(value)}" if inside else f"{name}{suffix} {_number(value)}")
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
