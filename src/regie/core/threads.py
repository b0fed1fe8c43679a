"""The one bridge from async code to sync services: a few threads, each with one database connection at most."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 3  # counted in the written budget of connections: docs/operate.md
_pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="sync")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Runs a sync service in a thread and waits for it. A broken connection is thrown away before and after."""

    def call() -> T:
        close_old_connections()
        try:
            return function(*args, **kwargs)
        finally:
            close_old_connections()

    context = contextvars.copy_context()
    return await asyncio.get_running_loop().run_in_executor(_pool, lambda: context.run(call))
