"""One Threads account's line to Meta. Its Graph API has a host and versions of its own."""

from __future__ import annotations

import aiohttp

from regie.networks.data import Login
from regie.networks.meta.wire import VERSION, Graph
from regie.networks.threads.limits import NETWORK

THREADS_VERSION = "v1.0"

__all__ = ["NETWORK", "Wire"]


class ThreadsGraph(Graph):
    def url(self, path: str, version: str = VERSION) -> str:
        return f"{self.server}/{THREADS_VERSION}{path}"


class Wire:
    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self.http, self.login = http, login
        self.username = str(login.limits.get("username", ""))
        token = login.credentials.get("access_token", "")
        self.graph = ThreadsGraph(http, server=login.server, token=token, network=NETWORK)
