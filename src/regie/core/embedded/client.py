"""What the product's processes call: ``ensure`` the database, use it, ``close``."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from .errors import EmbeddedError, ServerTooOld
from .places import NAME, OLDEST, Places, installs
from .processes import is_held, lock

Progress = Callable[[str], None]

_PAUSE_SECONDS = 0.02
_SIGN_IN_SECONDS = 30.0  # for a server that is up and turns us away
_ATTEMPTS = 3  # at starting a keeper that is killed before it says a word


class Running:
    """This process's share of the running database. Closing the last share on the machine stops the server."""

    def __init__(self, places: Places, users: int, socket: str, password: str, major: int) -> None:
        self._places, self._users, self._password = places, users, password
        self.socket, self.major = socket, major

    def __repr__(self) -> str:
        return f"Running(postgresql://{NAME}@/{NAME}?host={self.socket})"

    @property
    def url(self) -> str:
        """The address for psycopg or ``DATABASE_URL``. Holds the password: never log it."""
        return f"postgresql://{NAME}:{quote(self._password)}@/{NAME}?host={quote(self.socket, safe='')}&port=5432"

    def alive(self) -> bool:
        """Whether the server is up, by its keeper's word. Costs two small file reads; ask as often as you like.

        False calls for ``ensure()`` again. The address stays the same, save in rare cases when a shared temporary
        folder was emptied: compare ``url``.
        """
        return is_held(self._places.keeper) and self._places.read_state().get("phase") == "ready"

    def close(self) -> None:
        """Give up this process's share. Children that were forked with it keep theirs. Safe to call twice."""
        users, self._users = self._users, -1
        if users >= 0:
            os.close(users)

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def ensure(data: Path, *, major: int = 18, progress: Progress | None = None) -> Running:
    """Make sure that the cluster in ``data/postgres/`` runs, made or upgraded when needed, and take a share of it.

    ``progress`` hears a sentence whenever what we wait for changes. There is no limit of time: as long as the server
    lives and works at getting ready (a recovery after a power cut can take minutes) we wait.

    Raises: EmbeddedError with a sentence that says what to do, and the last lines of the server's log.
    """
    if sys.platform != "linux":
        raise EmbeddedError(
            "The database that Régie brings along needs Linux. Set DATABASE_URL to a PostgreSQL server of yours.",
            kind="missing",
        )
    places, tell = Places(data), _only_changes(progress)
    places.prepare()
    users = _take(places, places.users, tell, "Waiting for the database to finish stopping.", shared=True)
    try:
        start = _take(places, places.start, tell, "Waiting for another process that starts the database.")
        try:
            running = _signed_in(places, users, major, tell)
        finally:
            os.close(start)
    except OSError as exc:
        os.close(users)
        raise places.refused(exc) from exc
    except BaseException:
        os.close(users)
        raise
    return running


def _only_changes(progress: Progress | None) -> Progress:
    last = ""

    def tell(said: str) -> None:
        nonlocal last
        if progress is not None and said and said != last:
            last = said
            progress(said)

    return tell


def _take(places: Places, path: Path, tell: Progress, waiting: str, *, shared: bool = False) -> int:
    """Take a lock, however long it takes; returns the open file that holds it."""
    fd = places.open(path)
    try:
        began = time.monotonic()
        while not lock(fd, shared=shared):
            if time.monotonic() - began > 1:
                tell(waiting)
            time.sleep(_PAUSE_SECONDS)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _password(places: Places) -> str:
    """The password, made once. The caller holds the start lock."""
    with suppress(FileNotFoundError):
        return places.read_password()
    if places.majors():
        raise EmbeddedError(
            f"The password of the database is missing: put {places.password} back from a copy of the data folder, "
            "or restore a backup into a new one.",
            kind="missing",
        )
    places.write(places.password, secrets.token_urlsafe(32))
    return places.read_password()


def _bring_up(places: Places, major: int, tell: Progress) -> str:
    """Wait for a ready server, starting a keeper when there is none. Returns the socket's folder."""
    started = 0
    while True:
        fd = places.open(places.keeper)
        try:
            if lock(fd):
                if started:
                    _raise_what_happened(places, may_try_again=started < _ATTEMPTS)
                _start_keeper(places, major, fd)
                started += 1
        finally:
            os.close(fd)
        state = places.read_state()
        tell(str(state.get("said", "")))
        if state.get("phase") == "ready" and is_held(places.keeper):
            if state["major"] != major:
                raise EmbeddedError(
                    f"Another Régie is using this data folder with PostgreSQL {state['major']}. Stop it, then start "
                    "this one again.",
                    kind="in_use",
                )
            return str(state["socket"])
        time.sleep(_PAUSE_SECONDS)


def _raise_what_happened(places: Places, *, may_try_again: bool) -> None:
    """Our keeper is gone: because it failed and said why, or because somebody killed it."""
    state = places.read_state()
    if state.get("phase") == "failed":
        raise EmbeddedError(str(state["said"]), kind=str(state["kind"]), log=str(state["log"]))
    if not may_try_again:
        raise EmbeddedError(
            "The process that runs the database was ended again and again while it started. "
            "See whether the machine is out of memory, then start again.",
            log=places.tail(),
        )


def _start_keeper(places: Places, major: int, held: int) -> None:
    """Start the keeper with its lock already taken, so that at no moment nobody seems to care."""
    state = places.read_state()
    if state:
        places.write(places.state, f'{{"socket": {json.dumps(str(state.get("socket", "")))}}}')
    source = Path(__file__).parents[3]
    keep = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
    log = places.open(places.log, os.O_WRONLY | os.O_APPEND)
    try:
        starting = subprocess.run(
            # -S: nothing of site-packages is needed, so none of its start-up code is paid for.
            [sys.executable, "-SP", "-m", "regie.core.embedded.keeper", places.data, str(major), installs(), str(held)],
            env={**keep, "PYTHONPATH": str(source), "PYTHONUTF8": "1"},
            pass_fds=(held,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    finally:
        os.close(log)
    if starting.returncode != 0:
        raise EmbeddedError("The process that runs the database did not start.", log=places.tail())


def _signed_in(places: Places, users: int, major: int, tell: Progress) -> Running:
    """Bring the server up and sign in; once more when it goes away in between, as it was killed just now."""
    import psycopg

    password, refused_since = _password(places), 0.0
    while True:
        running = Running(places, users, _bring_up(places, major, tell), password, major)
        try:
            _make_database(running)
        except psycopg.OperationalError as exc:
            refused_since = refused_since or time.monotonic()
            wrong = "password authentication failed" in str(exc)
            if wrong or time.monotonic() - refused_since > _SIGN_IN_SECONDS:
                raise EmbeddedError(
                    "The database runs, and does not let us in. If the data folder was copied together from several "
                    "places, take it whole from one of them.",
                    log=str(exc),
                ) from exc
            time.sleep(_PAUSE_SECONDS)
        else:
            return running


def _make_database(running: Running) -> None:
    """Sign in, and make the product's database the first time."""
    import psycopg  # here, as the keeper imports this package and must stay small

    try:
        psycopg.connect(running.url, connect_timeout=30).close()
    except psycopg.OperationalError as exc:
        if f'database "{NAME}" does not exist' not in str(exc):
            raise
        with psycopg.connect(running.url, dbname="postgres", autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{NAME}"')


def check_server(url: str) -> None:
    """See that a server of the customer's own can be reached and is new enough.

    Raises: ServerTooOld below PostgreSQL 16; EmbeddedError when it cannot be reached or does not speak UTF-8.
    """
    import psycopg

    unreadable = EmbeddedError(
        "DATABASE_URL cannot be read. It looks like postgresql://user:password@host:5432/name, with any unusual "
        "character of the password written as %XX.",
        kind="unreachable",
    )
    if "://" in url and url.count("@") > 1:
        raise unreadable  # the end of the password would be taken for the host, and shown
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            version = connection.info.server_version // 10000
            encoding = connection.info.parameter_status("server_encoding")
    except psycopg.ProgrammingError:
        raise unreadable from None  # the driver's message repeats pieces of the address, perhaps the password
    except psycopg.OperationalError as exc:
        raise EmbeddedError(
            "The PostgreSQL server of DATABASE_URL cannot be reached. See that it runs, and that the name, the "
            "password and the address are right.",
            kind="unreachable",
            log=str(exc),
        ) from exc
    if version < OLDEST:
        raise ServerTooOld(
            f"The server of DATABASE_URL is PostgreSQL {version}; Régie needs {OLDEST} or newer. Upgrade it, or leave "
            "DATABASE_URL unset to use the database that Régie brings along.",
            kind="too_old",
        )
    if encoding != "UTF8":
        raise EmbeddedError(
            f"The database of DATABASE_URL keeps its text as {encoding}. Make one with ENCODING 'UTF8'.",
            kind="encoding",
        )
