"""``regie backup`` and ``regie restore``."""

from __future__ import annotations

import base64
import getpass
import sys
from pathlib import Path

from regie import __version__
from regie.cli import setup
from regie.cli.django import database_up, tell
from regie.cli.errors import Stop
from regie.config import database
from regie.config.env import env
from regie.config.keys import sealing_key_path
from regie.core import backup
from regie.core.clock import now
from regie.core.files import write_secret


def back_up(file: Path | None, *, with_key: bool) -> int:
    """Writes one file with the database, the media and, when asked, the sealing key under a passphrase."""
    target = file or Path(f"regie-{now():%Y-%m-%d-%H%M%S}.zip")
    key = _key_file() if with_key else None
    passphrase = _passphrase(twice=True) if with_key else None
    with database_up():
        try:
            report = backup.dump(
                database.url(), target, media=env().data / "media", key=key, passphrase=passphrase, version=__version__
            )
        except backup.BackupError as exc:
            raise Stop(str(exc)) from exc
    size = f"{report.bytes / 1024**2:.1f} MB"
    tell(f"{report.path}: {size}, {report.media_files} media files, PostgreSQL {report.postgres}.")
    if store := env().media_store:
        tell(
            f"What is in {store} is not in it: it holds the folder {env().data / 'media'} alone. Let the store "
            "keep copies of its own, or run `regie media copy folder` before a backup that should hold everything."
        )
    if not with_key:
        tell(
            "It does not hold the sealing key: keep a copy of "
            f"{sealing_key_path(env())} elsewhere, or every account has to be connected again after a restore."
        )
    return 0


def restore(file: Path) -> int:
    """Fills an empty installation. It starts frozen: what was due meanwhile is looked for before anything goes out."""
    has_key = sealing_key_path(env()).exists() or env().sealing_key is not None  # setup makes one where there is none
    with database_up():
        try:
            report = backup.restore(
                file,
                url=database.url(),
                media=env().data / "media",
                passphrase=_passphrase_for(file),
                begins=setup.will_restore,
            )
        except backup.BackupError as exc:
            setup.will_restore(None)
            raise Stop(str(exc)) from exc
    if report.key is not None:
        write_secret(sealing_key_path(env()), report.key.decode(), replace=True)
    setup.run()
    tell("Restored. Everything is frozen: start Régie, look at what was due meanwhile, then lift the freeze.")
    if (store := env().media_store) and report.media_files:
        tell(f"Its media are in {env().data / 'media'}. Run `regie media copy bucket` to bring them into {store}.")
    if report.key is None and not has_key:
        tell(f"Put the sealing key of the old installation at {sealing_key_path(env())} before you start.")
    return 0


def _key_file() -> bytes:
    given = env().sealing_key
    if given is not None:
        return "\n".join(given.get_secret_value().split(",")).encode()
    path = sealing_key_path(env())
    if not path.exists():
        raise Stop(f"There is no sealing key at {path} yet.")
    text = path.read_text()
    base64.b64decode(text.split()[0])
    return text.encode()


def _passphrase_for(file: Path) -> str | None:
    try:
        needed = backup.key_inside(file)
    except backup.BackupError as exc:
        raise Stop(str(exc)) from exc
    return _passphrase(twice=False) if needed else None


def _passphrase(*, twice: bool) -> str:
    given = env().passphrase
    if given is not None:
        return given.get_secret_value()
    if not sys.stdin.isatty():
        raise Stop("A passphrase is needed: set REGIE_PASSPHRASE, or run this in a terminal.")
    typed = getpass.getpass("Passphrase for the sealing key: ")
    if twice and typed != getpass.getpass("Once more: "):
        raise Stop("The two differ. Nothing was written.")
    if not typed:
        raise Stop("An empty passphrase protects nothing.")
    return typed
