"""One Page's line to Facebook."""

from __future__ import annotations

import aiohttp

from regie.networks.data import Login
from regie.networks.meta.wire import VERSION, Graph, host_beside

NETWORK = "Facebook"


class Wire:
    """``page``: its id in paths."""

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self.http, self.login, self.page = http, login, login.remote_id
        self.graph = Graph(
            http,
            server=login.server,
            token=login.credentials.get("access_token", ""),
            network=NETWORK,
            secret=login.app.client_secret if login.app is not None else "",
        )

    def upload_url(self, video: str) -> str:
        """Where a Reel or the video of a story is sent; never an address that an answer names."""
        return f"{host_beside(self.login.server, 'upload')}/video-upload/{VERSION}/{video}"
