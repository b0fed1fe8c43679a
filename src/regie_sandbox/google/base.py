"""What each of Google's networks has: a project, tokens that end after an hour, and a look at who asks."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from aiohttp import web

from regie_sandbox.frame import Network
from regie_sandbox.google.state import Accounts, App, Token
from regie_sandbox.google.wire import Trouble, dead_token

HOUR = timedelta(hours=1)


class GoogleNetwork(Network):
    state: Accounts

    def make_app(self, name: str = "Régie") -> App:
        """The project that ready accounts are connected with."""
        known = next(iter(self.state.apps.values()), None)
        if known is None:
            known = App(f"{secrets.randbelow(10**12)}-sandbox.apps.googleusercontent.com", secrets.token_hex(16), name)
            self.state.apps[known.id] = known
        return known

    def make_token(self, holder: str, app: App, scopes: Sequence[str], *, refresh: bool = False) -> str:
        value = f"{'1//0' if refresh else 'ya29.'}{secrets.token_urlsafe(40)}"
        until = None if refresh else self.now() + HOUR
        self.state.tokens[value] = Token(holder, app.id, list(scopes), until, refresh)
        return value

    def ready_tokens(self, name: str, holder: str, scopes: Sequence[str]) -> tuple[str, str, datetime | None]:
        """An access token that is still good, its refresh token, and when the first ends. Made when missing."""
        state, app = self.state, self.make_app()
        if name not in state.ready:
            state.ready[name] = self.make_token(holder, app, scopes, refresh=True)
            self.world.changes += 1
        known = state.tokens.get(state.access.get(name, ""))
        if known is None or known.until is None or known.until <= self.now():
            state.access[name] = self.make_token(holder, app, scopes)
        return state.access[name], state.ready[name], state.tokens[state.access[name]].until

    def expire_tokens(self) -> int:
        ended = [token for token in self.state.tokens.values() if not token.refresh]
        for token in ended:
            token.until = self.now()
        return len(ended)

    def token_of(self, request: web.Request) -> Token:
        """Who asks. Raises Trouble for a token that does not count."""
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not value:
            said = "Request is missing required authentication credential."
            raise Trouble(401, "required", said, domain="global", info="CREDENTIALS_MISSING")
        token = self.state.tokens.get(value)
        if token is None or token.refresh or (token.until is not None and token.until <= self.now()):
            raise dead_token()
        return token

    def now(self) -> datetime:
        return self.world.clock.now()

    def later(self, seconds: float) -> datetime:
        return self.now() + timedelta(seconds=seconds)
