"""Google's own descriptions of the Data API and of YouTube Analytics."""

from __future__ import annotations

from functools import cache
from typing import Any

import google_contract
from google_contract import Contract, Exchange

SPECS = google_contract.SPECS / "youtube"
FILES = ("youtube.v3.json", "youtubeAnalytics.v2.json")
ERROR_HAS = frozenset(("code", "message", "errors"))


@cache
def contracts() -> tuple[Contract, ...]:
    return tuple(google_contract.contract(SPECS / name, error_has=ERROR_HAS) for name in FILES)


def problems(seen: list[Exchange]) -> list[str]:
    data, analytics = contracts()
    return [problem for one in seen for problem in (analytics if one.path == "/v2/reports" else data).problems(one)]


def recording(seen: list[Exchange]) -> Any:
    return google_contract.recording(seen, paths=r"/(youtube|upload|resumable|v2)/")
