"""The one bridge from async code to sync services: a few threads, each with one database connection at most."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 3  # counted in the written budget of connections: docs/operate.md
TRUSTED_SECONDS = 1.0  # a connection that worked a moment ago is not asked again whether it works
_thread = threading.local()
_pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="sync")


def _is_done(one: BaseDatabaseWrapper) -> bool:
    """Broken, or as old as it may become (in tests, at once)."""
    return one.errors_occurred or (one.close_at is not None and time.monotonic() >= one.close_at)


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs a sync service in a thread and waits for it. A broken connection is thrown away before and after."""

    def call() -> T:
        if time.monotonic() - getattr(_thread, "worked_at", 0.0) > TRUSTED_SECONDS:
            close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            if any(_is_done(one) for one in connections.all(initialized_only=True)):
                close_old_connections()
            _thread.worked_at = time.monotonic()

    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_pool, lambda: context.run(call))
