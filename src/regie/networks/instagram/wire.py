"""One Instagram account's line to Meta, through the login it was connected with."""

from __future__ import annotations

from copy import copy

import aiohttp

from regie.networks.data import Login
from regie.networks.instagram.entities import Comment
from regie.networks.meta.wire import FACEBOOK, VERSION, Graph, host_beside

NETWORK = "Instagram"


def login_of(server: str) -> str:
    """Which login an address belongs to. A stand-in serves Facebook's Graph API below ``/facebook``."""
    return "facebook" if server.rstrip("/") == FACEBOOK or server.rstrip("/").endswith("/facebook") else "instagram"


class Wire:
    """``user``: the account's id in paths. ``uploads``: videos can be sent to Meta; the other login only fetches.
    ``person``: the token of whoever connected it, where they may speak of its shop (``shop``)."""

    def __init__(self, http: aiohttp.ClientSession, login: Login) -> None:
        self.http, self.login = http, login
        self.way = login_of(login.server)
        self.uploads = self.way == "facebook"
        self.user = login.remote_id
        self.username = str(login.limits.get("username", ""))
        self.person = login.credentials.get("user_token", "")
        self.graph = self._graph(login.credentials.get("access_token", ""))

    def as_person(self) -> Wire:
        """The same account, spoken of by the person who connected it."""
        theirs = copy(self)
        theirs.graph = self._graph(self.person)
        return theirs

    def is_ours(self, comment: Comment) -> bool:
        return bool(self.username) and self.username in (comment.username, comment.author and comment.author.username)

    @property
    def messaging(self) -> str:
        """Who speaks for direct messages: the Page with Facebook's login, else the account."""
        return str(self.login.limits.get("page_id") or "me") if self.uploads else self.user

    def _graph(self, token: str) -> Graph:
        app = self.login.app
        secret = app.client_secret if app is not None and self.uploads else ""
        return Graph(self.http, server=self.login.server, token=token, network=NETWORK, secret=secret)

    def upload_url(self, container: str) -> str:
        return f"{host_beside(self.login.server, 'upload')}/ig-api-upload/{VERSION}/{container}"
