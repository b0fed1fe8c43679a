"""Google's own descriptions of the APIs of Google Business Profile. Version 4's is 4.8: 4.9 was never put out."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import google_contract
from google_contract import Contract, Exchange

SPECS = google_contract.SPECS / "google-business-profile"
V4 = "mybusiness.v4p8.json"
ACCOUNTS = "mybusinessaccountmanagement.v1.json"
INFORMATION = "mybusinessbusinessinformation.v1.json"
PERFORMANCE = "businessprofileperformance.v1.json"
OF_PATHS = {  # each of Google's hosts at Google; here one serves them all
    r"/v4/": V4,
    r"/v1/accounts$": ACCOUNTS,
    r"/v1/locations/[^/]+:fetch": PERFORMANCE,
    r"/v1/": INFORMATION,
}
ERROR_HAS = frozenset(("code", "message", "status"))


@cache
def contracts() -> dict[str, Contract]:
    return {name: google_contract.contract(SPECS / name, error_has=ERROR_HAS) for name in OF_PATHS.values()}


def problems(seen: list[Exchange]) -> list[str]:
    known = contracts()
    return [problem for one in seen for problem in known[_described_in(one.path)].problems(one)]


def _described_in(path: str) -> str:
    return next(name for pattern, name in OF_PATHS.items() if re.match(pattern, path))


def recording(seen: list[Exchange]) -> Any:
    return google_contract.recording(seen, paths=r"/v[14]/")
