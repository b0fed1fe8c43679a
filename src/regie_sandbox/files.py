"""Pictures and other bytes that people uploaded: in memory, or in a folder when the world is kept."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote


class Files:
    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._memory: dict[str, bytes] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def put(self, name: str, content: bytes) -> None:
        if self._folder is None:
            self._memory[name] = content
        else:
            (self._folder / quote(name, safe="")).write_bytes(content)

    def get(self, name: str) -> bytes | None:
        if self._folder is None:
            return self._memory.get(name)
        path = self._folder / quote(name, safe="")
        return path.read_bytes() if path.exists() else None
