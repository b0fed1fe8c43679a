"""YouTube's sandbox: the Data API, its uploads, YouTube Analytics and Google's sign-in on one address."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from aiohttp import web

from regie_sandbox.frame import World
from regie_sandbox.google import oauth
from regie_sandbox.google.base import GoogleNetwork
from regie_sandbox.google.state import App
from regie_sandbox.google.wire import Json, Trouble, answered
from regie_sandbox.youtube.deeds import COSTS, Does
from regie_sandbox.youtube.hub import Hub
from regie_sandbox.youtube.reports import report
from regie_sandbox.youtube.shown import VIEWS, Shown
from regie_sandbox.youtube.state import Channel, Comment, Playlist, State, Video
from regie_sandbox.youtube.uploads import Uploads
from regie_sandbox.youtube.wire import PACIFIC, Call, trouble_of

LARGEST_REQUEST = 400 * 1024 * 1024
SCOPES = ("youtube.force-ssl", "youtube.readonly", "yt-analytics.readonly")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class YouTube(GoogleNetwork):
    """``processing_seconds``: how long a video is worked on; ``units_a_day``, ``uploads_a_day``: what Google allows an
    app, None for no end of it."""

    slug: ClassVar[str] = "youtube"
    who, what = "Channel", "channel"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        self.processing_seconds = 0.0
        self.units_a_day: int | None = None
        self.uploads_a_day: int | None = None
        super().__init__(world)
        self.shown = Shown(self)
        self.does = Does(self)
        self.deeds = self.does.all()
        self.uploads = Uploads(self)
        self.hub = Hub(self)

    # The wire

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.add_routes(oauth.routes(self))
        app.add_routes(self.hub.routes())
        app.cleanup_ctx.append(self.hub.hooks.while_served)
        app.add_routes(
            [
                web.get("/v2/reports", self.call),
                web.route("*", "/youtube/v3/{what:.+}", self.call),
                web.route("*", "/upload/youtube/v3/{what:.+}", self.call),
                web.route("*", "/resumable/upload/youtube/v3/{what:.+}", self.call),
            ]
        )
        return app

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        trouble = trouble_of(status)
        return trouble.headers, trouble.body

    async def call(self, request: web.Request) -> web.StreamResponse:
        try:
            call = await self._read(request)
            if request.path == "/v2/reports":  # its quota is another
                return answered(report(self, call))
            self._count(call)
            if "/upload/" in request.path:
                return await self.uploads.take(call)
            if (deed := self.deeds.get((call.method, call.what))) is None:
                raise Trouble(404, "notFound", "Not Found", domain="global")
            answer = deed(call)
        except Trouble as trouble:
            return answered(trouble.body, status=trouble.status, headers=trouble.headers)
        return web.Response(status=204) if answer is None else answered(answer)

    async def _read(self, request: web.Request) -> Call:
        token = self.token_of(request)
        params = dict(request.query)
        return Call(
            request,
            request.method,
            request.match_info.get("what", ""),
            params,
            token,
            self.state.apps[token.app],
            await _body(request),
        )

    def _count(self, call: Call) -> None:
        """Units of the day. An upload has a bucket of its own: see ``count_upload``."""
        if call.what == "videos" and "/upload/" in call.request.path:
            return
        today = self._today()
        cost = COSTS.get(f"{call.method} {call.what}", 1)
        spent = call.app.units.get(today, 0) + cost
        call.app.units = {today: spent}
        if self.units_a_day is not None and spent > self.units_a_day:
            raise self._used_up()

    def count_upload(self, app: App) -> None:
        today = self._today()
        if self.uploads_a_day is not None and app.uploads.get(today, 0) >= self.uploads_a_day:
            raise self._used_up()
        app.uploads = {today: app.uploads.get(today, 0) + 1}

    def _today(self) -> str:
        return self.now().astimezone(PACIFIC).date().isoformat()

    def _used_up(self) -> Trouble:
        said = "The request cannot be completed because you have exceeded your quota."
        return Trouble(403, "quotaExceeded", said, domain="youtube.quota")

    # Accounts

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        channel, app = self.channel(name), self.make_app()
        if name not in self.state.ready:
            self.playlist(channel.id, "All of it")
        access, refresh, until = self.ready_tokens(name, channel.id, SCOPES)
        return {
            "server": self.base,
            "remote_id": channel.id,
            "handle": channel.handle,
            "credentials": {"access_token": access, "refresh_token": refresh},
            "expires_at": until.isoformat() if until is not None else "",
            "client_id": app.id,
            "client_secret": app.secret,
            "options": {"title": "A video", "made_for_kids": "no"},
            "visible": "PUT",
            "never": "<>",
        }

    def channel(self, name: str) -> Channel:
        """The channel of that name, made when missing."""
        handle = "@" + (re.sub(r"[^a-z0-9._-]+", "-", name.lower().lstrip("@")).strip("-") or "somebody")
        known = self.state.names.get(name.lower()) or self.state.names.get(handle)
        if known is not None:
            return self.state.channels[known]
        channel = Channel(f"UC{self.new_id(22)}", name, handle, self.now())
        self.state.channels[channel.id] = channel
        self.state.names[name.lower()] = self.state.names[handle] = channel.id
        return channel

    def holder(self, name: str) -> str:
        return self.channel(name).id

    def known_as(self, account: str | None) -> Channel:
        """By id, @handle or name; None: the ready one."""
        return self.state.channels.get(account or "") or self.channel(account or "regie")

    def playlist(self, channel: str, title: str) -> Playlist:
        made = Playlist(f"PL{self.new_id(32)}", channel, title, self.now())
        self.state.playlists[made.id] = made
        self.state.channels[channel].playlists.append(made.id)
        return made

    # The people

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        """YouTube tells nobody of mentions in the API: who names a channel writes under its newest video."""
        person = self.channel(by)
        if kind == "direct":
            raise LookupError("YouTube has no direct messages.")
        if kind == "mention":
            channel = self.known_as(to)
            video = self.state.videos[self._public(channel)[-1]]
            return self.comment(video, person.id, f"{text} {channel.handle}").id
        if to is None:
            return self.film(person, text).id
        answered_ = self.state.comments.get(to)
        video = self.state.videos[answered_.video if answered_ is not None else to]
        return self.comment(video, person.id, text, parent=answered_).id

    def film(self, channel: Channel, words: str) -> Video:
        """Somebody's own video."""
        now = self.now()
        made = Video(self.new_id(11), channel.id, now, now, title=words[:100], description=words, public_at=now)
        self.state.videos[made.id] = made
        channel.videos.append(made.id)
        return made

    def comment(self, video: Video, by: str, text: str, *, parent: Comment | None = None) -> Comment:
        """An answer to an answer stands beside it."""
        top = self.state.comments[parent.parent] if parent is not None and parent.parent else parent
        number = f"{top.id}.9{self.new_id(18)}" if top is not None else f"Ug{self.new_id(18)}4AaABAg"
        words = self.faults.rewritten(text)
        made = Comment(number, video.id, by, words, self.now(), top.id if top is not None else "")
        self.state.comments[made.id] = made
        video.comments.append(made.id)
        if top is not None:
            top.replies.append(made.id)
        self._watched(video, 2)
        self.note(by, made.id, text, "reply" if by == video.channel else "comment")
        return made

    def like(self, *, by: str, post_id: str) -> None:
        video, person = self.state.videos[post_id], self.channel(by)
        if person.id not in video.likes:
            video.likes.add(person.id)
            self._watched(video, VIEWS)
            self.note(person.id, video.id, "", "like")

    def share(self, *, by: str, post_id: str) -> bool:
        video = self.state.videos[post_id]
        video.shares += 1
        self._watched(video, 4)
        return True

    def _watched(self, video: Video, times: int) -> None:
        seen, today = self.state.channels[video.channel].seen, self.now().date().isoformat()
        seen[today] = seen.get(today, 0) + times

    def follow(self, *, by: str, account: str) -> None:
        channel, person = self.known_as(account), self.channel(by)
        if person.id not in channel.subscribers:
            channel.subscribers.add(person.id)
            today = self.now().date().isoformat()
            channel.gained[today] = channel.gained.get(today, 0) + 1

    def unfollow(self, *, by: str, account: str) -> bool:
        self.known_as(account).subscribers.discard(self.channel(by).id)
        return True

    def texts(self, account: str | None = None) -> list[str]:
        return [self.state.videos[one].description for one in self._public(self.known_as(account))]

    def posts(self, account: str | None = None) -> list[str]:
        return self._public(self.known_as(account))

    def _public(self, channel: Channel) -> list[str]:
        videos = [self.state.videos[one] for one in channel.videos]
        shown = [video for video in videos if video.privacy != "private"]
        shown.sort(key=lambda video: video.public_at or video.made_at)
        return [video.id for video in shown]

    # What happens

    def now_visible(self, video: Video, before: str) -> None:
        """A video that others can see from now on is written down; one of an unverified app is locked instead."""
        if video.privacy == "private":
            if before != "private":
                self.hub.tell_gone(video)
            return
        if video.app and not self.state.apps[video.app].verified:
            video.privacy, video.locked = "private", True
            return
        if before == "private" and video.public_at is None:
            video.public_at = self.now()
            self.note(video.channel, video.id, video.description, "post", media=1)
        if before == "private":
            self.hub.tell(video)

    def remove_video(self, video: Video) -> None:
        if video.privacy != "private":
            self.hub.tell_gone(video)
        for comment in [self.state.comments[one] for one in video.comments]:
            del self.state.comments[comment.id]
        for playlist in self.state.playlists.values():
            playlist.entries = [one for one in playlist.entries if one.video != video.id]
        for caption in video.captions:
            del self.state.captions[caption]
        self.state.channels[video.channel].videos.remove(video.id)
        del self.state.videos[video.id]

    def remove_comment(self, comment: Comment) -> None:
        for one in (comment.id, *comment.replies):
            self.state.videos[comment.video].comments.remove(one)
            del self.state.comments[one]
        if comment.parent:
            self.state.comments[comment.parent].replies.remove(comment.id)

    def listed(self, video: Video) -> bool:
        """Whether listings show it already (``faults.listing_lag``)."""
        lag = timedelta(seconds=self.faults.listing_lag)
        return self.now() - (video.public_at or video.made_at) >= lag

    def note(self, channel: str, remote_id: str, text: str, kind: str, *, media: int = 0) -> None:
        self.world.ledger.accepted(
            network=self.slug, account=channel, remote_id=remote_id, text=text, kind=kind, media=media
        )

    def new_id(self, length: int) -> str:
        return "".join(secrets.choice(LETTERS) for _ in range(length))


async def _body(request: web.Request) -> Json:
    """What was said as JSON; files are left for who takes them."""
    if request.content_type != "application/json" or "upload_id" in request.query:
        return {}
    try:
        found = json.loads(await request.read() or b"{}")
    except ValueError:
        raise Trouble(400, "parseError", "Parse Error", domain="global") from None
    return found if isinstance(found, dict) else {}
