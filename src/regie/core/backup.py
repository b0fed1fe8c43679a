"""One file that holds everything: the database, the media, and what is needed to trust them again.

The file is a zip (stored, as its parts are compressed already), so that any tool can look inside:

    database.dump   pg_dump's custom format, of one snapshot
    media/...       the files of the media folder
    media.jsonl     one line per media file: {"path", "bytes", "sha256"}
    manifest.json   what this is; written last: a file without it is a broken backup

Knows no Django: takes an address and folders, gives reports. Freezing what was restored is the caller's part.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from .embedded import binaries

FORMAT = 1
_DUMP, _MEDIA, _LIST, _MANIFEST = "database.dump", "media/", "media.jsonl", "manifest.json"
_CHUNK = 1024 * 1024  # bytes held in memory at a time
_SCRYPT = {"n": 2**16, "r": 8, "p": 1}  # 64 MB and a tenth of a second for each guess
_SCRYPT_MOST = {"n": 2**20, "r": 16, "p": 8}  # what a file may ask of us
_MANIFEST_MOST = 1024 * 1024  # bytes


class BackupError(Exception):
    """``said`` is a sentence that says what to do; nothing was changed."""

    def __init__(self, said: str, *, log: str = "") -> None:
        super().__init__(f"{said}\n{log}" if log else said)
        self.said, self.log = said, log


class Damaged(BackupError):
    """The file is not a whole backup any more: cut short, changed, or something else altogether."""


class NotEmpty(BackupError):
    """The place to restore into holds data already."""


class WrongPassphrase(BackupError):
    """The sealing key in the backup does not open with this passphrase."""


@dataclass(frozen=True)
class BackupReport:
    """``missing`` counts media files deleted while we copied; ``key_inside`` tells whether the key is in the file."""

    path: Path
    bytes: int
    media_files: int
    missing: int
    key_inside: bool
    postgres: str


@dataclass(frozen=True)
class RestoreReport:
    """``key`` is the sealing key, or None: ask for it, or for its passphrase when ``key_inside``."""

    created_at: datetime
    version: str
    media_files: int
    key_inside: bool
    key: bytes | None = field(repr=False)


# --- writing -----------------------------------------------------------------------------------------------------


def dump(url: str, into: Path, *, media: Path, key: bytes | None, passphrase: str | None, version: str) -> BackupReport:
    """Write a backup while the product runs. ``into`` is the file, or a folder to make a dated file in.

    The database comes first and from one snapshot, the media after it: a file uploaded meanwhile is one too many,
    which does no harm. The key goes in only under a passphrase; without one the manifest says that it is not there.
    The file appears under its name when it is whole, readable by its owner only.

    Raises: BackupError.
    """
    now = datetime.now(UTC)  # the real time, also when a test moves the product's clock
    target = into / f"regie-{now:%Y%m%d-%H%M%S}.zip" if into.is_dir() else into
    server = _server_major(url)
    try:
        with _appearing(target) as file, zipfile.ZipFile(file, "w", allowZip64=True) as archive:
            database = _write_dump(archive, url, server)
            listed, count, missing = _write_media(archive, media)
            manifest: dict[str, Any] = {
                "format": FORMAT,
                "product": "regie",
                "version": version,
                "created_at": now.isoformat(),
                "postgres": server,
                "database": database,
                "media": {**listed, "files": count},
            }
            manifest["key"] = _seal(key, passphrase, manifest)
            archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))
    except OSError as exc:
        raise BackupError(f"The backup could not be written to {target}: {exc.strerror}. Nothing was kept.") from exc
    return BackupReport(target, target.stat().st_size, count, missing, bool(manifest["key"]["inside"]), str(server))


@contextmanager
def _appearing(target: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when the block ends well, and is gone when it does not."""
    fd, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # mode 0600
    try:
        with os.fdopen(fd, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _copy(source: IO[bytes], target: IO[bytes] | None) -> dict[str, Any]:
    """Copy in pieces; returns {"bytes", "sha256"} of what went through."""
    digest, size = hashlib.sha256(), 0
    while piece := source.read(_CHUNK):
        digest.update(piece)
        size += len(piece)
        if target is not None:
            target.write(piece)
    return {"bytes": size, "sha256": digest.hexdigest()}


def _write_dump(archive: zipfile.ZipFile, url: str, server: int) -> dict[str, Any]:
    words = ["--format=custom", "--no-owner", "--no-privileges"]
    with _tool("pg_dump", words, url, server, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        with archive.open(_DUMP, "w", force_zip64=True) as part:
            return _copy(process.stdout, part)


def _write_media(archive: zipfile.ZipFile, media: Path) -> tuple[dict[str, Any], int, int]:
    count = missing = 0
    with tempfile.TemporaryFile() as listing:
        for path in _files(media):
            name = path.relative_to(media).as_posix()
            try:
                with path.open("rb") as source:
                    info = zipfile.ZipInfo.from_file(path, _MEDIA + name, strict_timestamps=False)
                    with archive.open(info, "w", force_zip64=True) as part:
                        listed = {"path": name, **_copy(source, part)}
            except FileNotFoundError:
                missing += 1
                continue
            listing.write(json.dumps(listed).encode() + b"\n")
            count += 1
        listing.seek(0)
        with archive.open(_LIST, "w", force_zip64=True) as part:
            return _copy(listing, part), count, missing


def _files(media: Path) -> Iterator[Path]:
    """The ordinary files under a folder, in a stable order; links are not followed."""
    for folder, folders, names in os.walk(media):
        folders.sort()
        for name in sorted(names):
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                yield path


# --- the sealing key ---------------------------------------------------------------------------------------------


def _bound_to(manifest: Mapping[str, Any]) -> bytes:
    """What the sealed key vouches for: everything else the manifest says, checksums included."""
    return json.dumps({name: value for name, value in manifest.items() if name != "key"}, sort_keys=True).encode()


def _seal(key: bytes | None, passphrase: str | None, manifest: Mapping[str, Any]) -> dict[str, Any]:
    if key is None or not passphrase:
        note = "The sealing key is NOT in this backup. Keep it elsewhere: without it every account must be reconnected."
        return {"inside": False, "note": note}
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    derived = Scrypt(salt=salt, length=32, **_SCRYPT).derive(passphrase.encode())
    sealed = AESGCM(derived).encrypt(nonce, key, _bound_to(manifest))
    text = {
        name: base64.b64encode(raw).decode() for name, raw in (("salt", salt), ("nonce", nonce), ("sealed", sealed))
    }
    return {"inside": True, "note": "The sealing key is inside, under a passphrase.", "scrypt": _SCRYPT, **text}


def _unseal(manifest: Mapping[str, Any], passphrase: str) -> bytes:
    sealed = manifest["key"]
    try:
        cost = {name: int(sealed["scrypt"][name]) for name in _SCRYPT_MOST}
        if any(cost[name] > most for name, most in _SCRYPT_MOST.items()):
            raise ValueError("the key asks for too much work")
        salt, nonce, box = (base64.b64decode(sealed[name]) for name in ("salt", "nonce", "sealed"))
        derived = Scrypt(salt=salt, length=32, n=cost["n"], r=cost["r"], p=cost["p"]).derive(passphrase.encode())
        return AESGCM(derived).decrypt(nonce, box, _bound_to(manifest))
    except InvalidTag:
        raise WrongPassphrase(
            "The passphrase is not the one of this backup, or somebody changed the backup. Try the passphrase again."
        ) from None
    except (KeyError, TypeError, ValueError) as exc:
        raise Damaged("The sealing key in this backup is damaged. Use another backup.") from exc


# --- reading -----------------------------------------------------------------------------------------------------


def key_inside(file: Path) -> bool:
    """Whether a backup holds the sealing key, so that its passphrase has to be asked for. Raises: BackupError."""
    try:
        with zipfile.ZipFile(file) as archive:
            return bool(_read_manifest(archive)["key"]["inside"])
    except (zipfile.BadZipFile, EOFError) as exc:
        raise Damaged(f"{file} is not a whole backup of Régie. Use another one.") from exc
    except OSError as exc:
        raise BackupError(f"{file} cannot be read ({exc.strerror}).") from exc


def restore(
    file: Path,
    *,
    url: str,
    media: Path,
    passphrase: str | None,
    begins: Callable[[datetime], None] = lambda _made_at: None,
) -> RestoreReport:
    """Bring a backup back into an empty database and an empty media folder, or change nothing at all.

    Everything is checked first: every checksum, the passphrase, the emptiness of both places. Then ``begins`` is called
    with the moment at which the backup was made, before anything comes back.
    Raises: Damaged, WrongPassphrase, NotEmpty, BackupError.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            manifest, listed = _verified(archive)
            inside = bool(manifest["key"]["inside"])
            key = _unseal(manifest, passphrase) if inside and passphrase else None
            server = _server_major(url)
            _must_fit(manifest, server)
            _must_be_empty(url, media)
            begins(datetime.fromisoformat(manifest["created_at"]))
            with _media_in_place(archive, listed, media):
                _read_dump(archive, url, server)
    except (zipfile.BadZipFile, EOFError, RuntimeError, zlib.error) as exc:  # RuntimeError: encrypted, odd compression
        raise Damaged(f"{file} is not a whole backup of Régie. Use another one.") from exc
    except FileNotFoundError as exc:
        raise BackupError(f"There is no file {exc.filename}.") from exc
    except OSError as exc:
        raise BackupError(f"The backup could not be restored: {exc.strerror} ({exc.filename}).") from exc
    return RestoreReport(
        datetime.fromisoformat(manifest["created_at"]), str(manifest["version"]), len(listed), inside, key
    )


def _verified(archive: zipfile.ZipFile) -> tuple[dict[str, Any], list[str]]:
    """The manifest and the media paths of an archive in which every byte is what the manifest says."""
    manifest = _read_manifest(archive)
    try:
        _same(archive, _DUMP, manifest["database"])
        _same(archive, _LIST, manifest["media"])
        listed = []
        with archive.open(_LIST) as lines:
            for line in lines:
                entry = json.loads(line)
                listed.append(_safe(entry["path"]))
                _same(archive, _MEDIA + entry["path"], entry)
        expected = {_DUMP, _LIST, _MANIFEST, *(_MEDIA + path for path in listed)}
        names = archive.namelist()
        if set(names) != expected or len(names) != len(expected) or manifest["media"]["files"] != len(listed):
            raise Damaged("The backup holds other files than it should. Use another one.")
    except (KeyError, TypeError, ValueError) as exc:
        raise Damaged("The backup lacks a part. Use another one.") from exc
    return manifest, listed


def _read_manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        if archive.getinfo(_MANIFEST).file_size > _MANIFEST_MOST:
            raise ValueError("too long")
        manifest: dict[str, Any] = json.loads(archive.read(_MANIFEST))
        newer = int(manifest["format"]) > FORMAT
        manifest["key"]["inside"]
        datetime.fromisoformat(manifest["created_at"])
    except (KeyError, TypeError, ValueError) as exc:
        raise Damaged("This file is not a backup of Régie, or it is damaged. Use another one.") from exc
    if newer:
        raise BackupError(f"This backup was made by a newer Régie ({manifest.get('version')}). Install that one first.")
    return manifest


def _same(archive: zipfile.ZipFile, name: str, noted: Mapping[str, Any]) -> None:
    with archive.open(name) as part:
        found = _copy(part, None)
    if (found["bytes"], found["sha256"]) != (noted["bytes"], noted["sha256"]):
        raise Damaged(f"{name} in the backup is not what was written: its checksum differs. Use another backup.")


def _safe(name: str) -> str:
    """A path that stays inside the media folder."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise Damaged("The backup holds a path that leads out of the media folder. Do not use it.")
    if path.as_posix() != name:
        raise Damaged("The backup holds a path that is written in an unusual way. Do not use it.")
    return name


def _must_fit(manifest: Mapping[str, Any], server: int) -> None:
    if int(manifest["postgres"]) > server:
        raise BackupError(
            f"This backup was made with PostgreSQL {manifest['postgres']}, and the database to restore into is "
            f"PostgreSQL {server}. Use one that is as new."
        )


# Anything that somebody made: tables, views, sequences, functions, types; not what an extension brought.
_FIRST_THING = """
    SELECT n.nspname || '.' || o.name
    FROM (SELECT oid, relnamespace AS space, relname AS name, 'pg_class'::regclass AS kind FROM pg_class
          UNION ALL SELECT oid, pronamespace, proname, 'pg_proc'::regclass FROM pg_proc
          UNION ALL SELECT oid, typnamespace, typname, 'pg_type'::regclass FROM pg_type) o
    JOIN pg_namespace n ON n.oid = o.space
    WHERE n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = o.oid AND d.classid = o.kind AND d.deptype = 'e')
    LIMIT 1
"""


def _must_be_empty(url: str, media: Path) -> None:
    with _connected(url) as connection:
        row = connection.execute(_FIRST_THING.replace("%%", "%")).fetchone()
    if row is not None:
        raise NotEmpty(f"The database to restore into is not empty (it has {row[0]}). Restore into a new one.")
    if media.exists() and any(media.iterdir()):
        raise NotEmpty(f"{media} is not empty. Restore into an empty folder.")


@contextmanager
def _media_in_place(archive: zipfile.ZipFile, listed: list[str], media: Path) -> Iterator[None]:
    """Put the media in place for as long as the block goes well; otherwise leave the folder as empty as it was.

    They come before the database: rows without their pictures would be worse than pictures without rows. Inside the
    folder, as it may be a mount point that cannot be replaced.
    """
    existed = media.exists()
    media.mkdir(parents=True, exist_ok=True)
    try:
        for name in listed:
            target = media / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(_MEDIA + name) as part, target.open("xb") as file:
                shutil.copyfileobj(part, file, _CHUNK)
        yield
    except BaseException:
        for made in media.iterdir():
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        if not existed:
            media.rmdir()
        raise


def _read_dump(archive: zipfile.ZipFile, url: str, server: int) -> None:
    words = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    with (
        _tool("pg_restore", words, url, server, stdin=subprocess.PIPE) as process,
        archive.open(_DUMP) as part,
    ):
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it gave up: its exit code and its words tell why
            shutil.copyfileobj(part, process.stdin, _CHUNK)
            process.stdin.close()


# --- the server and its programs ---------------------------------------------------------------------------------


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            yield connection
    except psycopg.Error:
        # Without the driver's words, which may repeat a piece of the address.
        raise BackupError("The database cannot be reached. See that it runs, then try again.") from None


def _server_major(url: str) -> int:
    with _connected(url) as connection:
        return connection.info.server_version // 10000


def _program(name: str, url: str, server: int) -> Path:
    """The program to use: ours, or the machine's for a connection with TLS, which ours do not speak.

    Ours would talk in the clear where the server lets it, so they are never tried there.
    """
    if server > 18:
        raise BackupError(f"The server is PostgreSQL {server}; this Régie can back up 16 to 18. Update Régie.")
    with _connected(url) as connection:
        if not connection.pgconn.ssl_in_use:
            # The tool of 16 for 16: later ones set what a server of 16 does not know.
            return binaries(16 if server <= 16 else 18) / name
    found = shutil.which(name)
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout if found else ""
    version = re.search(r" (\d+)", said)
    if found is None or version is None or int(version[1]) < server:
        raise BackupError(
            f"The database server is reached over TLS, which needs the {name} of PostgreSQL {server} or newer on this "
            f"machine. Install it (on Debian: postgresql-client-{server}), then try again."
        )
    return Path(found)


@contextmanager
def _tool(
    name: str, words: list[str], url: str, server: int, stdin: int | None = None, stdout: int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run pg_dump or pg_restore on a database; the password goes by the environment, which only its owner can read.

    Raises BackupError with its last lines when it fails.
    """
    program = _program(name, url, server)
    address: dict[str, Any] = conninfo_to_dict(url)
    password = address.pop("password", None)
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", **({"PGPASSWORD": str(password)} if password else {})}
    with tempfile.TemporaryFile() as words_of_it:
        process = subprocess.Popen(
            [program, *words, f"--dbname={make_conninfo(**address)}"],
            stderr=words_of_it,
            env=environment,
            stdin=stdin,
            stdout=stdout,
        )
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
            code = process.wait()
        if code != 0:
            words_of_it.seek(0)
            log = words_of_it.read()[-2000:].decode(errors="replace")
            raise BackupError(f"{name} gave up. Nothing was changed; its last words are below.", log=log)
