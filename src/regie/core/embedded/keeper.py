"""The keeper: a small process that is PostgreSQL's parent, and leaves with the last user of the database.

Started by whoever needs the database first, as ``python -m regie.core.embedded.keeper DATA MAJOR INSTALLS LOCK``;
it detaches itself. ``LOCK`` is the inherited, already taken keeper's lock.

It waits for an exclusive lock on ``users.lock``, which each user of the database holds shared: the kernel gives it
the moment the last of them is gone, however it went. Killed itself, it takes PostgreSQL along (PR_SET_PDEATHSIG).
What it is doing stands in ``state.json``: ``phase`` is "starting", "ready", "stopping", "stopped" or "failed".

Imports are few on purpose: this process lives as long as the product and should cost next to nothing.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from . import cluster
from .errors import EmbeddedError
from .identity import choose
from .places import Places, binaries
from .processes import alone, lock

GRACE_SECONDS = 1.5  # a product that restarts at once finds the database still running
_LOG_CHECK_SECONDS = 300
_RESTARTS, _RESTARTS_WITHIN_SECONDS = 5, 60.0


class NotWanted(Exception):
    """The last user left, or we were told to stop, while the server was still starting."""


class Keeper:
    def __init__(self, places: Places, major: int, root: Path) -> None:
        self.places, self.major, self.root = places, major, root
        self.users = places.open(places.users)
        self.socket = Path(str(places.read_state().get("socket", "/nowhere")))
        self.told_to_stop = self.last_user_left = False
        self.said = ""
        self.wake_read, self.wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def note(self, phase: str, said: str = "", kind: str = "", log: str = "") -> None:
        state = {
            "phase": phase,
            "said": said,
            "kind": kind,
            "log": log,
            "major": self.major,
            "socket": str(self.socket),
        }
        self.places.write(self.places.state, json.dumps(state))

    def tell(self, said: str) -> None:
        """Note what we wait for. Raises NotWanted when nobody waits with us."""
        if self.told_to_stop or self._nobody_is_left():
            raise NotWanted
        if said != self.said:
            self.said = said
            self.note("starting", said)

    def run(self) -> None:
        signal.set_wakeup_fd(self.wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        restarts: list[float] = []
        while True:
            server = self._bring_up()
            self.note("ready")
            gc.collect()
            if self._watch(server):
                self.note("stopping")
                server.stop()
                if self.socket.parent != self.places.home:
                    with suppress(OSError):
                        self.socket.rmdir()  # in a shared temporary folder: leave nothing there
                self.note("stopped")
                return
            restarts = [at for at in restarts if at > time.monotonic() - _RESTARTS_WITHIN_SECONDS]
            restarts.append(time.monotonic())
            if len(restarts) > _RESTARTS:
                raise EmbeddedError(
                    f"PostgreSQL stopped {len(restarts)} times within a minute. The lines below say why.",
                    log=self.places.tail(),
                )

    def _on_signal(self, number: int, frame: object) -> None:
        self.told_to_stop = True

    def _bring_up(self) -> cluster.Server:
        """Start the server: on a new cluster, an upgraded one, or the one that is there."""
        self.said = ""  # so that "ready" does not stand there any more
        self.tell("Starting the database.")
        with alone(self.places, self.tell) as inherited:
            majors = self.places.majors()
            if majors and majors[-1] > self.major:
                raise EmbeddedError(
                    f"The data in {self.places.home} were made by PostgreSQL {majors[-1]}, and this Régie would start "
                    f"{self.major}. Start the newer Régie again.",
                    kind="too_new",
                )
            tools = self._tools(self.major, majors, inherited)
            older = [major for major in majors if major < self.major]
            self._make_current(tools, majors, inherited)
            server = cluster.Server(tools, self.socket)
        server.wait_ready(self.tell)
        if not older:
            cluster.drop_old(self.places)
        return server

    def _tools(self, major: int, majors: list[int], inherited: int) -> cluster.Tools:
        identity = choose(
            binaries(major, self.root) / "postgres",
            [self.places.home],
            owner=self.places.data.stat().st_uid,
            made_by=self.places.cluster_of(majors[-1]).stat().st_uid if majors else None,
        )
        for there in majors:
            identity.own(self.places.cluster_of(there))
        self.socket = cluster.socket_folder(self.places, identity)
        return cluster.Tools(self.places, major, self.root, identity, inherited)

    def _make_current(self, tools: cluster.Tools, majors: list[int], inherited: int) -> None:
        if not majors:
            self.tell("Making a new database.")
            cluster.create(tools)
            return
        if majors[-1] < self.major:
            old = cluster.Tools(self.places, majors[-1], self.root, tools.identity, inherited)
            cluster.upgrade(old, tools, self.socket, self.tell)
        for stale in majors:
            # Broken off between the last two steps of an upgrade: both are there, and the newer one is whole.
            if stale < self.major and self.places.cluster_of(stale).exists():
                cluster.set_aside(cluster.Tools(self.places, stale, self.root, tools.identity, inherited))

    def _watch(self, server: cluster.Server) -> bool:
        """Wait until there is something to do. True to stop; False when the server died and must come back."""
        ended = os.pidfd_open(server.pid)
        waiting = select.poll()
        waiting.register(ended, select.POLLIN)
        waiting.register(self.wake_read, select.POLLIN)
        try:
            self._watch_users()
            while True:
                waiting.poll(_LOG_CHECK_SECONDS * 1000)
                cluster.trim_log(self.places)
                self._drain()
                if self.told_to_stop:
                    return True
                if server.process.poll() is not None:
                    return False
                if self.last_user_left:
                    if self._nobody_came_back(waiting, server):
                        return True
                    self._watch_users()
        finally:
            os.close(ended)

    def _watch_users(self) -> None:
        self.last_user_left = False
        threading.Thread(target=self._wait_for_last_user, daemon=True).start()

    def _wait_for_last_user(self) -> None:
        users = self.places.open(self.places.users)
        fcntl.flock(users, fcntl.LOCK_EX)
        os.close(users)  # let a newcomer in: the grace begins
        self.last_user_left = True  # before the wake-up, which must find it
        os.write(self.wake_write, b"u")

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while os.read(self.wake_read, 512):
                pass

    def _nobody_came_back(self, waiting: select.poll, server: cluster.Server) -> bool:
        """After the last user left: whether we are still alone when the grace is over. If so, newcomers wait for us."""
        until = time.monotonic() + GRACE_SECONDS
        while (left := until - time.monotonic()) > 0 and not self.told_to_stop and server.process.poll() is None:
            waiting.poll(left * 1000)
            self._drain()
        return lock(self.users)

    def _nobody_is_left(self) -> bool:
        users = self.places.open(self.places.users)
        try:
            return lock(users)
        finally:
            os.close(users)


def detach() -> None:
    """Leave the process that started us: it may end, wait for all its children, or be killed."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.umask(0o077)
    os.chdir("/")


def main(data: str, major: str, root: str, held: str) -> None:
    detach()
    os.set_inheritable(int(held), False)
    keeper = Keeper(Places(Path(data)), int(major), Path(root))
    try:
        keeper.run()
    except NotWanted:
        keeper.note("stopped")
    except EmbeddedError as exc:
        keeper.note("failed", exc.said, exc.kind, exc.log)
    except OSError as exc:
        refused = keeper.places.refused(exc)
        keeper.note("failed", refused.said, refused.kind)


if __name__ == "__main__":
    main(*sys.argv[1:])
