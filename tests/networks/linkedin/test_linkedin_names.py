"""What we wrote down of LinkedIn's API by hand agrees with the files of third parties, where those know it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from .linkedin_contract import CALLS

ROOT = Path(__file__).resolve().parents[3]
SPECS = Path(os.environ.get("REGIE_SPECS", ROOT / "../shared/specs")) / "linkedin"
PATH, VERB = re.compile(r"^  (/\S.*):$"), re.compile(r"^    (get|post|put|delete):$")


def known() -> set[tuple[str, str]]:
    """Verb and path of each call in the files; some write the path with ``/rest`` before it, some without."""
    if not SPECS.is_dir():
        pytest.skip(f"The descriptions of LinkedIn's API are not at {SPECS}: set REGIE_SPECS")
    found, path = set(), ""
    for file in sorted(SPECS.glob("*.openapi.yml")):
        for line in file.read_text().splitlines():
            if (here := PATH.match(line)) is not None:
                path = here[1].strip("'\"").removeprefix("/rest")
            elif (verb := VERB.match(line)) is not None:
                found.add((verb[1].upper(), path))
    return found


def test_calls_that_the_files_know_are_in_them() -> None:
    theirs = known()
    ours = {(call.verb, call.known) for call in CALLS if call.known}
    assert len(ours) > 10
    assert ours <= theirs


def test_the_description_covers_what_the_files_say_of_webhooks() -> None:
    known()
    text = (SPECS / "webhooks.yml").read_text()
    for word in ("challengeCode", "challengeResponse", "X-LI-Signature", "hmacsha256=", "COMMENT_DELETE"):
        assert word in text
