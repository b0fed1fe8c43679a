"""Brings an installation up to date: tables, static files, its own row. Safe at every start, and twice at once."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from regie import __version__
from regie.cli.django import ready, tell
from regie.cli.errors import Stop
from regie.config.env import env
from regie.core.files import write_secret
from regie.core.sealed import sealer

MARK = "made-from"
LOCK = 0x52E61E  # any number, the same for all: one setup at a time per database


def run() -> int:
    with ready():
        prepare_static_files()
        from django.core.management import call_command
        from django.db import DatabaseError, OperationalError, connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            try:
                if _changes_wait():
                    call_command("migrate", interactive=False, verbosity=0)
            except OperationalError as exc:
                raise Stop(_sentence(exc)) from exc
            finally:
                with suppress(DatabaseError):  # the lock goes with the connection
                    cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
        from regie.publishing.models import Installation

        _finish_restore()
        Installation.objects.get_or_create(pk=1)
        sealer()  # makes the sealing key, so that a backup can hold it from the first day
        _say_setup_code()
    return 0


def will_restore(made_at: datetime | None) -> None:
    """Notes, before the data of a backup come back, that everything has to be frozen before anything else happens:
    whatever cuts a restore off, the next start sees to it. None: nothing came back."""
    if made_at is None:
        _restore_mark().unlink(missing_ok=True)
    else:
        write_secret(_restore_mark(), made_at.isoformat(), replace=True)


def must_have_finished_restore() -> None:
    """For what would speak to networks: not between the data of a backup and their freeze. Raises Stop."""
    if _restore_mark().exists():
        raise Stop("A restore was cut off before everything was frozen. Run `regie setup`, which finishes it.")


def _restore_mark() -> Path:
    return env().data / "restoring"


def _finish_restore() -> None:
    from regie.community.sending import doubt_after_restore
    from regie.measure.known import read_all_soon
    from regie.publishing.models import Installation
    from regie.publishing.services import start_frozen_after_restore

    mark = _restore_mark()
    if not mark.exists():
        return
    if Installation.objects.exists():  # else nothing came back: the restore is one transaction
        start_frozen_after_restore(backed_up_at=datetime.fromisoformat(mark.read_text()))
        doubt_after_restore()
        read_all_soon()
    mark.unlink()


def _changes_wait() -> bool:
    """Whether a migration is not applied yet. Asking costs a tenth of running a migrate that has nothing to do."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _sentence(exc: Exception) -> str:
    """Why the tables could not be brought up to date."""
    from psycopg.errors import DiskFull

    if isinstance(exc.__cause__, DiskFull):
        return f"The disk that holds {env().data} is full. Free some space there, then start again: nothing is lost."
    return f"The database went away while its tables were brought up to date ({type(exc).__name__}). Start again."


def _say_setup_code() -> None:
    """At a first start that strangers can reach: only who reads this console may create the owner."""
    from django.conf import settings

    from regie.people.services import is_first_start

    if settings.SETUP_CODE and not settings.DEMO and is_first_start():
        tell(f"Nobody is here yet. To create the owner, the first page asks for this setup code: {settings.SETUP_CODE}")


def prepare_static_files() -> None:
    """Collects, names by content and compresses what browsers load, when it changed since the last time.

    Django must be loaded; this process then serves nothing itself.
    """
    if static_files_are_ready():
        return
    target = env().data / "static"
    from django.conf import settings
    from django.core.management import call_command

    fresh = target.with_name(f"static.{os.getpid()}")
    settings.STORAGES["staticfiles"]["BACKEND"] = "regie.cli.compressing.Storage"
    settings.STATIC_ROOT = str(fresh)
    call_command("collectstatic", interactive=False, verbosity=0)
    (fresh / MARK).write_text(_fingerprint())
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    settings.STATIC_ROOT = str(target)


def static_files_are_ready() -> bool:
    """Whether they are what this version would make of its own. Needs no Django."""
    mark = env().data / "static" / MARK
    return mark.exists() and mark.read_text() == _fingerprint()


def _fingerprint() -> str:
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(__version__.encode())
    for path in sorted(package.glob("*/static/**/*")):
        if path.is_file():
            stat = path.stat()
            digest.update(f"{path.relative_to(package)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()
