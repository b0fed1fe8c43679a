"""Rate limits as this vendor counts them: points in fixed windows that begin with the first use.

Source: PDS 0.4.217: 5,000 points an hour and 35,000 a day per account (create 3, update 2, delete 1), sign-ins 30
in five minutes and 300 a day per name and address.
"""

from __future__ import annotations

from dataclasses import dataclass

from regie_sandbox.bluesky.problem import Problem
from regie_sandbox.bluesky.state import Window
from regie_sandbox.bluesky.store import Store

HOUR, DAY, FIVE_MINUTES = 3600, 86_400, 300
CREATE, UPDATE, DELETE = 3, 2, 1


@dataclass(slots=True)
class Limits:
    """May be changed while running; None: no limit."""

    points_an_hour: int | None = 5000
    points_a_day: int | None = 35_000
    sign_ins_in_five_minutes: int | None = 30


class Meter:
    def __init__(self, store: Store, limits: Limits) -> None:
        self.store, self.limits = store, limits

    def write(self, did: str, points: int) -> dict[str, str]:
        """Take points for a write; the headers for its answer. Raises the vendor's 429."""
        hour = self._take(f"hour:{did}", points, self.limits.points_an_hour, HOUR)
        day = self._take(f"day:{did}", points, self.limits.points_a_day, DAY)
        return hour or day

    def sign_in(self, name: str, address: str) -> dict[str, str]:
        return self._take(f"sign-in:{name}-{address}", 1, self.limits.sign_ins_in_five_minutes, FIVE_MINUTES)

    def _take(self, key: str, points: int, limit: int | None, seconds: int) -> dict[str, str]:
        if limit is None:
            return {}
        now = self.store.now().timestamp()
        window = self.store.state.windows.get(key)
        if window is None or window.began + seconds <= now:
            window = self.store.state.windows[key] = Window(now, 0)
        window.used += points
        headers = {
            "ratelimit-limit": str(limit),
            "ratelimit-remaining": str(max(0, limit - window.used)),
            "ratelimit-reset": str(int(window.began) + seconds),
            "ratelimit-policy": f"{limit};w={seconds}",
        }
        if window.used > limit:
            raise Problem(429, "RateLimitExceeded", "Rate Limit Exceeded", headers)
        return headers
