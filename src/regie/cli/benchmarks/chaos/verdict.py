"""What the tables say beside what the networks accepted."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regie.cli.django import tell

MARK = re.compile(r"\[d\d+\.\d+\]")
SHOWN = 20  # of what went wrong, on the console

STEPS = """
SELECT d.id, d.state, d.look_at IS NULL AND d.lease IS NULL AS asked, d.problem, a.network, a.server,
    s.state, s.remote_id, s.content->>'text', jsonb_array_length(s.content->'media')
FROM publishing_step s JOIN publishing_delivery d ON d.id = s.delivery_id JOIN accounts_account a ON a.id = d.account_id
WHERE s.state <> 'dropped' ORDER BY d.id, s.position
"""
OPEN = """
SELECT count(*) FROM publishing_delivery WHERE state IN ('scheduled', 'preparing', 'claimed', 'sending', 'processing')
    OR (state = 'unclear' AND (look_at IS NOT NULL OR lease IS NOT NULL))
"""
NEVER_ENDED = """
SELECT count(*) FROM publishing_attempt t JOIN publishing_step s ON s.id = t.step_id
JOIN publishing_delivery d ON d.id = s.delivery_id JOIN accounts_account a ON a.id = d.account_id
WHERE t.kind = 'commit' AND t.ended_at IS NULL AND a.network = ANY(%s)
"""

Ledger = Sequence[Mapping[str, Any]]


def compare(ledgers: Mapping[str, Ledger], silent: Iterable[str]) -> dict[str, int]:
    """Counts of what is wrong. ``ledgers``: by the address at which we reach each network; ``silent``: the networks
    where nobody knows.

    lost     we say that it is out, and the network never had it, or not with its pictures
    doubled  the network has more of one text than we say are out or in doubt
    stuck    neither out nor with a person
    """
    found, wrong = Counter[str](), list[str]()
    out = {
        server: {entry["remote_id"]: entry for entry in ledger if entry["kind"] in ("post", "reply")}
        for server, ledger in ledgers.items()
    }
    expected = defaultdict[tuple[str, str], Counter[str]](Counter)
    seen = set[int]()
    for delivery, state, asked, problem, network, server, step, remote_id, text, media in rows(STEPS):
        mark = MARK.search(text)
        assert mark is not None
        if delivery not in seen:
            seen.add(delivery)
            _judge(found, wrong, (delivery, state, asked, problem, network), silent)
        expected[server, mark[0]][step] += 1
        entry = out[server].get(remote_id)
        if step == "published" and (entry is None or mark[0] not in entry["text"] or entry["media"] != media):
            found["lost"] += 1
            wrong.append(f"delivery {delivery} says it is {remote_id} on {network}; there it is {entry}")
    for server, entries in out.items():
        there = Counter(mark[0] for entry in entries.values() if (mark := MARK.search(entry["text"])))
        for one, count in there.items():
            more = count - expected[server, one]["published"] - expected[server, one]["unclear"]
            if more > 0:
                found["doubled"] += more
                wrong.append(f"{one} is {count} times on {server}, and we know of {dict(expected[server, one])}")
    for said in wrong[:SHOWN]:
        tell(said)
    return {key: found[key] for key in ("lost", "doubled", "stuck", "unclear", "unclear_elsewhere")} | {
        "deliveries": len(seen)
    }


def _judge(
    found: Counter[str], wrong: list[str], delivery: tuple[int, str, bool, str, str], silent: Iterable[str]
) -> None:
    number, state, asked, problem, network = delivery
    if state == "published":
        return
    if state == "unclear" and asked:
        found["unclear"] += 1
        if network in silent:
            return
        found["unclear_elsewhere"] += 1
    else:
        found["stuck"] += 1
    wrong.append(f"delivery {number} on {network} is {state}: {problem}")


def rows(statement: str, *given: Any) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return list(cursor.fetchall())
