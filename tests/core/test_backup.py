"""A backup while the product works, and what comes back of it."""

from __future__ import annotations

import json
import os
import socket
import ssl
import stat
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from psycopg.conninfo import make_conninfo

from regie.core.backup import BackupError, Damaged, NotEmpty, WrongPassphrase, dump, restore
from regie.core.embedded import ensure

KEY = bytes(range(32))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ensure(tmp_path_factory.mktemp("server") / "data") as running:
        yield running.url


@pytest.fixture
def database(server: str, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Makes an empty database of the test's own."""

    def make(name: str) -> str:
        unique = f"{name}_{abs(hash(request.node.nodeid))}"
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {unique}".encode())
        return make_conninfo(server, dbname=unique)

    return make


@pytest.fixture
def full(database: Callable[[str], str]) -> str:
    url = database("full")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE a (n int); CREATE TABLE b (n int); CREATE TABLE words (w text)")
        connection.execute("INSERT INTO words VALUES ('été'), ('зима')")
    return url


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    (folder / "2030").mkdir(parents=True)
    (folder / "2030/photo.jpg").write_bytes(os.urandom(3_000_000))
    (folder / "un été.txt").write_text("bonjour")
    (folder / "link").symlink_to("/etc/passwd")
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def words(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return sorted(row[0] for row in connection.execute("SELECT w FROM words"))


def is_empty(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return (
            connection.execute("SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace").fetchone() is None
        )


def test_what_was_backed_up_comes_back_whole(
    full: str, media: Path, database: Callable[[str], str], tmp_path: Path
) -> None:
    report = dump(full, tmp_path, media=media, key=KEY, passphrase="correct horse", version="1.2.3")
    assert (report.media_files, report.key_inside, report.postgres) == (2, True, "18")
    assert stat.S_IMODE(report.path.stat().st_mode) == 0o600
    assert KEY not in report.path.read_bytes()

    new = database("new")
    back = restore(report.path, url=new, media=tmp_path / "back", passphrase="correct horse")
    assert (back.key, back.key_inside, back.version) == (KEY, True, "1.2.3")
    assert words(new) == ["été", "зима"]
    assert tree(tmp_path / "back") == tree(media)


def test_a_backup_while_somebody_writes_is_of_one_moment(
    full: str, media: Path, database: Callable[[str], str], tmp_path: Path
) -> None:
    """Each transaction writes to the first and the last table: a backup of two moments would tell them apart."""
    started, enough = threading.Event(), threading.Event()

    def write() -> None:
        with psycopg.connect(full, autocommit=True) as connection:
            number = 0
            while not enough.is_set():
                with connection.transaction():
                    connection.execute("INSERT INTO a VALUES (%s)", [number])
                    connection.execute("INSERT INTO b VALUES (%s)", [number])
                number += 1
                if number == 20:
                    started.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert started.wait(10)
        report = dump(full, tmp_path / "b.zip", media=media, key=None, passphrase=None, version="1")
    finally:
        enough.set()
        writer.join()

    new = database("new")
    restore(report.path, url=new, media=tmp_path / "back", passphrase=None)
    with psycopg.connect(new) as connection:
        counts = connection.execute("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)").fetchone()
    assert counts is not None
    assert counts[0] == counts[1] >= 20


@pytest.mark.parametrize(("key", "passphrase"), [(KEY, None), (None, "correct horse"), (KEY, "")])
def test_a_backup_without_the_key_says_so_and_asks_for_it(
    key: bytes | None, passphrase: str | None, full: str, media: Path, database: Callable[[str], str], tmp_path: Path
) -> None:
    report = dump(full, tmp_path / "b.zip", media=media, key=key, passphrase=passphrase, version="1")
    assert not report.key_inside
    with zipfile.ZipFile(report.path) as archive:
        assert "NOT in this backup" in json.loads(archive.read("manifest.json"))["key"]["note"]
    back = restore(report.path, url=database("new"), media=tmp_path / "back", passphrase="whatever")
    assert (back.key, back.key_inside) == (None, False)


def test_a_key_inside_is_asked_for_when_there_is_no_passphrase(
    full: str, media: Path, database: Callable[[str], str], tmp_path: Path
) -> None:
    report = dump(full, tmp_path / "b.zip", media=media, key=KEY, passphrase="correct horse", version="1")
    back = restore(report.path, url=database("new"), media=tmp_path / "back", passphrase=None)
    assert (back.key, back.key_inside) == (None, True)
    assert repr(KEY) not in repr(back)


def test_a_wrong_passphrase_changes_nothing(
    full: str, media: Path, database: Callable[[str], str], tmp_path: Path
) -> None:
    report = dump(full, tmp_path / "b.zip", media=media, key=KEY, passphrase="correct horse", version="1")
    new = database("new")
    with pytest.raises(WrongPassphrase):
        restore(report.path, url=new, media=tmp_path / "back", passphrase="incorrect horse")
    assert is_empty(new)
    assert not (tmp_path / "back").exists()


def test_nothing_is_restored_over_something(
    full: str, media: Path, database: Callable[[str], str], tmp_path: Path
) -> None:
    report = dump(full, tmp_path / "b.zip", media=media, key=None, passphrase=None, version="1")
    with pytest.raises(NotEmpty, match=r"public\."):
        restore(report.path, url=full, media=tmp_path / "back", passphrase=None)
    new = database("new")
    with pytest.raises(NotEmpty, match="Restore into an empty folder"):
        restore(report.path, url=new, media=media, passphrase=None)
    assert is_empty(new)
    assert not (tmp_path / "back").exists()
    assert len(tree(media)) == 2


@pytest.fixture
def backup(full: str, media: Path, tmp_path: Path) -> Path:
    return dump(full, tmp_path / "b.zip", media=media, key=KEY, passphrase="correct horse", version="1").path


def rewritten(file: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> Path:
    """The archive with its members passed through ``change``; None leaves one out."""
    target = file.with_name("changed.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if (member := change(name, old.read(name))) is not None:
                new.writestr(*member)
    return target


def flip(wanted: str) -> Callable[[str, bytes], tuple[str, bytes] | None]:
    return lambda name, body: (name, body[:-1] + bytes([body[-1] ^ 1]) if name == wanted else body)


def without(wanted: str) -> Callable[[str, bytes], tuple[str, bytes] | None]:
    return lambda name, body: None if name == wanted else (name, body)


@pytest.mark.parametrize(
    "change",
    [
        flip("database.dump"),
        flip("media/2030/photo.jpg"),
        flip("media.jsonl"),
        flip("manifest.json"),
        without("database.dump"),
        without("media/un été.txt"),
        without("manifest.json"),
    ],
)
def test_a_changed_backup_is_refused_and_nothing_is_touched(
    change: Callable[[str, bytes], tuple[str, bytes] | None],
    backup: Path,
    database: Callable[[str], str],
    tmp_path: Path,
) -> None:
    new = database("new")
    with pytest.raises(Damaged):
        restore(rewritten(backup, change), url=new, media=tmp_path / "back", passphrase=None)
    assert is_empty(new)
    assert not (tmp_path / "back").exists()


def test_a_forger_who_fixes_the_checksums_is_caught_by_the_passphrase(
    backup: Path, database: Callable[[str], str], tmp_path: Path
) -> None:
    def forge(name: str, body: bytes) -> tuple[str, bytes]:
        return name, body.replace(b'"version": "1"', b'"version": "2"') if name == "manifest.json" else body

    with pytest.raises(WrongPassphrase, match="somebody changed the backup"):
        restore(rewritten(backup, forge), url=database("new"), media=tmp_path / "back", passphrase="correct horse")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "./evil"])
def test_a_path_that_leads_out_is_refused(
    name: str, backup: Path, database: Callable[[str], str], tmp_path: Path
) -> None:
    import hashlib

    line = json.dumps({"path": name, "bytes": 4, "sha256": hashlib.sha256(b"evil").hexdigest()}).encode() + b"\n"

    def add(member: str, body: bytes) -> tuple[str, bytes]:
        if member == "media.jsonl":
            return member, line
        if member == "manifest.json":
            manifest = json.loads(body)
            manifest["media"] = {"bytes": len(line), "sha256": hashlib.sha256(line).hexdigest(), "files": 1}
            return member, json.dumps(manifest).encode()
        return (f"media/{name}", b"evil") if member == "media/2030/photo.jpg" else (member, body)

    with pytest.raises(Damaged, match="path"):
        restore(rewritten(backup, add), url=database("new"), media=tmp_path / "back", passphrase=None)
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_a_file_that_is_no_backup_is_refused(
    content: bytes | None, backup: Path, database: Callable[[str], str], tmp_path: Path
) -> None:
    file = tmp_path / "other.zip"
    file.write_bytes(backup.read_bytes()[:-100_000] if content is None else content)
    with pytest.raises(Damaged):
        restore(file, url=database("new"), media=tmp_path / "back", passphrase=None)


def test_a_backup_that_fails_leaves_nothing_behind(server: str, media: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(BackupError, match="cannot be reached"):
        dump(
            make_conninfo(server, dbname="absent"),
            tmp_path / "b.zip",
            media=media,
            key=None,
            passphrase=None,
            version="1",
        )
    with pytest.raises(BackupError, match="could not be written"):
        dump(server, tmp_path / "no/such/b.zip", media=media, key=None, passphrase=None, version="1")
    assert sorted(tmp_path.iterdir()) == before


def test_a_dump_the_server_refuses_leaves_both_places_empty(
    full: str, media: Path, database: Callable[[str], str], tmp_path: Path
) -> None:
    """A role that may not create anything restores nothing, media included."""
    report = dump(full, tmp_path / "b.zip", media=media, key=None, passphrase=None, version="1")
    new = database("new")
    with psycopg.connect(new, autocommit=True) as admin:
        name = f"weak_{os.getpid()}"
        admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'weak'".encode())
    with pytest.raises(BackupError, match="pg_restore gave up") as caught:
        restore(
            report.path,
            url=make_conninfo(new, user=name, password="weak"),
            media=tmp_path / "back",
            passphrase=None,
        )
    assert "permission denied" in caught.value.log
    assert is_empty(new)
    assert not (tmp_path / "back").exists()


def test_a_server_reached_over_tls_is_never_read_in_the_clear(
    monkeypatch: pytest.MonkeyPatch, media: Path, tmp_path: Path
) -> None:
    """The programs we bring do not speak TLS. Without one on the machine that does, we say so."""
    monkeypatch.setenv("PATH", "/nowhere")
    with TlsServer(tmp_path) as url, pytest.raises(BackupError, match="postgresql-client-17"):
        dump(url, tmp_path / "b.zip", media=media, key=None, passphrase=None, version="1")


class TlsServer:
    """Greets every client over TLS like PostgreSQL 17, as far as it needs to learn the version."""

    def __init__(self, folder: Path) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number()).not_valid_before(
            now
        )
        certificate = builder.not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
        pem = folder / "tls.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        pem.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(pem)

    def __enter__(self) -> str:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        return f"postgresql://alice@127.0.0.1:{self.listening.getsockname()[1]}/x?sslmode=require&gssencmode=disable"

    def __exit__(self, *exc: object) -> None:
        self.listening.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listening.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            with client, suppress(OSError):  # a client may leave without a farewell
                client.recv(8)  # SSLRequest
                client.sendall(b"S")
                with self.context.wrap_socket(client, server_side=True) as secure:
                    self._greet(secure)

    @staticmethod
    def _greet(secure: ssl.SSLSocket) -> None:
        def message(kind: bytes, body: bytes) -> bytes:
            return kind + struct.pack("!i", len(body) + 4) + body

        secure.recv(4096)
        greeting = message(b"R", struct.pack("!i", 0)) + message(b"S", b"server_version\x0017.2\x00")
        secure.sendall(greeting + message(b"S", b"client_encoding\x00UTF8\x00") + message(b"Z", b"I"))
        while secure.recv(4096):
            pass
