"""The written budget of database connections: how many each role holds at most. docs/operate.md tells people."""

from __future__ import annotations

from regie.config.env import Env
from regie.core.threads import THREADS

LISTENS = 1  # a connection of its own, for notifications
QUEUE = 3  # of a worker, for taking and finishing jobs
FOR_PEOPLE = 10  # left for commands, backups, and whoever looks


def web(env: Env) -> int:
    return env.web_workers * (env.web_threads + THREADS)


def publisher_pool(env: Env) -> int:
    """What a publisher's own pool may hold, beside its threads and the connection that listens."""
    return env.publisher_connections - LISTENS - THREADS


def worker(_: Env) -> int:
    return QUEUE + LISTENS + THREADS


def connections(env: Env) -> dict[str, int]:
    """For one of each role on this machine."""
    return {"web": web(env), "publisher": env.publisher_connections, "worker": worker(env), "people": FOR_PEOPLE}
