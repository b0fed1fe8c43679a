"""Installations of their own, run as a person would: by ``regie`` in a process, watched from outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from regie.cli.benchmarks.installation import Installation, wait_until_gone


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """One that was never started, in an empty folder."""
    made = Installation(tmp_path)
    yield made
    if made.process is not None:
        made.stop()
    wait_until_gone(made)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """``regie up`` on what was an empty folder, shared by the tests of a file: each leaves it running."""
    made = Installation(tmp_path_factory.mktemp("installation"))
    made.start()
    yield made
    if made.process is not None:
        made.stop()
    wait_until_gone(made)
