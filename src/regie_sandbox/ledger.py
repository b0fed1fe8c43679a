"""What the networks accepted: the independent witness for "exactly once"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing accepted. ``kind``: post, reply, edit, delete, like...; ``key``: the client's own, when it sent one."""

    at: datetime
    network: str
    account: str
    remote_id: str
    text: str
    kind: str = "post"
    key: str = ""
    media: int = 0


_ENTRY = TypeAdapter(Entry)


class Ledger:
    """Append only. With ``path``, each entry is in the file before the network answers."""

    def __init__(self, now: Callable[[], datetime], path: Path | None = None) -> None:
        self._now = now
        self.entries: list[Entry] = []
        self._file: IO[bytes] | None = None
        if path is not None:
            self._open(path)

    def _open(self, path: Path) -> None:
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        whole = [line for line in lines if line.endswith(b"\n")]  # a kill may have cut the last one
        self.entries = [_ENTRY.validate_json(line) for line in whole]
        if len(whole) != len(lines):
            path.write_bytes(b"".join(whole))
        self._file = path.open("ab", buffering=0)

    def accepted(
        self,
        *,
        network: str,
        account: str,
        remote_id: str,
        text: str,
        kind: str = "post",
        key: str = "",
        media: int = 0,
    ) -> None:
        entry = Entry(
            at=self._now(),
            network=network,
            account=account,
            remote_id=remote_id,
            text=text,
            kind=kind,
            key=key,
            media=media,
        )
        self.entries.append(entry)
        if self._file is not None:
            self._file.write(_ENTRY.dump_json(entry) + b"\n")

    def of(self, network: str, account: str | None = None, kind: str | None = None) -> list[Entry]:
        """The entries of one network, and of one account or kind when given, oldest first."""
        return [
            entry
            for entry in self.entries
            if entry.network == network
            and (account is None or entry.account == account)
            and (kind is None or entry.kind == kind)
        ]

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
