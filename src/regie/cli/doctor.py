"""``regie doctor``: looks for what is wrong, and says what to do in words."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from regie.cli.django import ready
from regie.cli.errors import Stop
from regie.config.env import env

Verdict = Literal["good", "note", "bad"]
LITTLE_SPACE = 2 * 1024**3
SIGNS = {"good": "ok  ", "note": "note", "bad": "BAD "}


@dataclass(frozen=True, slots=True)
class Finding:
    verdict: Verdict
    about: str
    said: str


def run(*, as_json: bool) -> int:
    """Prints what was found. Exit code 1 when something is bad."""
    findings = [*_machine(), *_addresses(), *_mail(), *_media(), *_inside()]
    if as_json:
        sys.stdout.write(json.dumps({"findings": [asdict(finding) for finding in findings]}, ensure_ascii=False) + "\n")
    else:
        for finding in findings:
            sys.stdout.write(f"{SIGNS[finding.verdict]}  {finding.about}: {finding.said}\n")
    return 1 if any(finding.verdict == "bad" for finding in findings) else 0


def _machine() -> Iterator[Finding]:
    data = env().data
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=data):
            pass
    except OSError as exc:
        yield Finding("bad", "data", f"{data} cannot be written ({exc.strerror}). Set REGIE_DATA to a folder that can.")
        return
    free = shutil.disk_usage(data).free
    size = f"{free / 1024**3:.1f} GB free in {data}"
    if free < LITTLE_SPACE:
        yield Finding("bad", "data", f"{size}: too little for pictures and the database to grow.")
    else:
        yield Finding("good", "data", f"{size}.")
    for name in ("secret_key", "sealing_key"):
        yield from _secret_file(data / name)


def _secret_file(path: Path) -> Iterator[Finding]:
    if path.exists() and path.stat().st_mode & 0o077:
        yield Finding("bad", path.name, f"Others on this machine can read {path}. Run: chmod 600 {path}")


def _addresses() -> Iterator[Finding]:
    address = urlsplit(env().public_url)
    if address.scheme == "https":
        yield Finding("good", "address", f"{env().public_url} is the public address.")
    elif not env().url:
        yield Finding(
            "note",
            "address",
            "REGIE_URL is not set, so only this machine can reach Régie. Without a public https address: no webhooks "
            "(messages are fetched instead), no invitations that work elsewhere.",
        )
    else:
        yield Finding(
            "bad", "address", f"{env().url} is not https: sign-in cookies and passwords would travel in the open."
        )


def _mail() -> Iterator[Finding]:
    if env().email_url is None:
        yield Finding("note", "e-mail", "REGIE_EMAIL_URL is not set: e-mail is printed on the console, nobody gets it.")
    else:
        yield Finding("good", "e-mail", "A mail server is set.")


def _media() -> Iterator[Finding]:
    """A bucket is written to, read from and deleted from. A folder is part of the data, which were looked at."""
    if not (store := env().media_store):
        return
    from django.utils.module_loading import import_string

    from regie.config.store import django_storage

    how = django_storage(env())
    said = import_string(how["BACKEND"])(**how["OPTIONS"]).try_out()
    if said:
        yield Finding("bad", "media", f"{said} Nothing can be uploaded, and posts with files wait.")
    else:
        yield Finding("good", "media", f"{store} takes files, gives them back and deletes them.")
    if any(one.is_file() for one in (env().data / "media").rglob("*")):
        yield Finding(
            "note",
            "media",
            f"There are files in {env().data / 'media'}, too. Run `regie media copy bucket`, which copies what is "
            "missing in the bucket; then the folder can go, unless you keep it for backups.",
        )


def _inside() -> Iterator[Finding]:
    if env().database_url is None and not (env().data / "postgres").exists():
        yield Finding("note", "database", "Nothing is set up here yet. Run: regie up")  # looking makes nothing
        return
    try:
        with ready() as running:
            where = "embedded" if running is not None else "DATABASE_URL"
            yield Finding("good", "database", f"It answers ({where}).")
            if behind := list(_migrations()):  # without its tables there is nothing to look at
                yield from behind
                return
            yield from _accounts()
            yield from _publishers()
    except Stop as exc:
        yield Finding("bad", "database", str(exc))


def _migrations() -> Iterator[Finding]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield Finding("bad", "database", f"{len(plan)} changes of its tables are missing. Run: regie setup")


def _accounts() -> Iterator[Finding]:
    from regie.accounts.models import Account
    from regie.accounts.opening import open_credentials
    from regie.accounts.queries import ending_soon
    from regie.core.sealed import CannotOpen
    from regie.core.sentences import in_words

    ending = {account.pk for account in ending_soon(Account.objects.all())}
    for account in Account.objects.exclude(state=Account.State.REMOVED).select_related("workspace"):
        about = f"{account.workspace}, {account.in_full}"
        try:
            open_credentials(account)
        except CannotOpen as exc:
            yield Finding("bad", about, f"{exc} Put the old sealing key back, or connect the account again.")
            continue
        if account.state == Account.State.BROKEN:
            why = in_words(account.problem, account.problem_facts)
            yield Finding("bad", about, f"{why} It has to be connected again: open Accounts in Régie.".strip())
            continue
        if account.problem:
            yield Finding("note", about, account.problem.format(**account.problem_facts))
        yield from (Finding("note", about, in_words(str(lack))) for lack in account.limits.get("missing", ()))
        if account.pk in ending:
            yield Finding(
                "note",
                about,
                f"It stops working on {account.reconnect_by:%Y-%m-%d} unless it is connected again: open Accounts in "
                "Régie.",
            )


def _publishers() -> Iterator[Finding]:
    from datetime import timedelta

    from regie.core.clock import now
    from regie.publishing.models import Publisher

    since = now() - timedelta(seconds=15)
    if not Publisher.who_send(since=since).exists():
        yield Finding("note", "publisher", "No publisher runs at this moment: nothing goes out. Run: regie up")
    for publisher in Publisher.objects.filter(seen_at__gte=since):
        verdict: Verdict = "bad" if abs(publisher.skew_ms) > 1000 else "good"
        yield Finding(verdict, "publisher", f"{publisher.name} is alive; its clock is {publisher.skew_ms:.0f} ms off.")
