"""Roles as forks of one process that has loaded everything.

Loading Python's modules is nine tenths of a start. Done once, it is done for every role, and the memory it takes is
shared by all. A fork is safe as long as the process it comes from has one thread and no connection: ``load`` opens
none, and a test says so.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from multiprocessing.context import ForkProcess

from regie.core.parent import die_with_parent

FORK = multiprocessing.get_context("fork")
OURS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ENGINES = ("granian", "uvloop", "regie.publishing.engine.publisher", "regie.community.listening", "regie_sandbox.main")


def load() -> None:
    """Django, every page, and what the roles run. The address of the database must be known."""
    from regie.cli.django import load_django
    from regie.config.warm import warm_up

    gc.disable()  # what is loaded stays: looking for garbage in it meanwhile is a seventh of the work
    load_django()
    warm_up()
    for name in ENGINES:
        import_module(name)
    gc.collect()
    gc.freeze()  # the collectors of the forks need not touch, and so copy, this memory
    gc.enable()


def fork(name: str, command: Callable[[], int], *, closing: Iterable[int] = ()) -> ForkProcess:
    """Runs ``command`` in a process of its own, called ``regie <name>``, that does not outlive this one.

    closing: open files of ours that are not for it. Ctrl-C reaches us alone; it leaves by a signal that we send it.
    """
    process = FORK.Process(target=_live, args=(name, command, os.getpid(), tuple(closing)))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, OURS)  # one that comes now is for the child, not for our handlers
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return process


def _live(name: str, command: Callable[[], int], parent: int, closing: tuple[int, ...]) -> None:
    from regie.cli.django import take_role

    die_with_parent(parent)
    os.setsid()
    for one in closing:
        os.close(one)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, OURS)
    _say_what_it_is(name)
    take_role(name)
    sys.exit(command())


def _say_what_it_is(name: str) -> None:
    """For those who look with ps and top, where all forks would bear the name of the first."""
    os.environ["SPT_NOENV"] = "1"  # leave the environment readable there too
    from setproctitle import setproctitle

    setproctitle(f"regie {name}")
