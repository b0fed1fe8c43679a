"""Files: in one request, in a request of two parts, or piece by piece into a place that remembers how far it came.

Source: the guide "Resumable Uploads" of the Data API.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from aiohttp import web

from regie_sandbox.films import looked_at
from regie_sandbox.google.wire import Json, Trouble, answered
from regie_sandbox.youtube.state import Session, Video
from regie_sandbox.youtube.wire import CAPTION, UPLOAD, Call

if TYPE_CHECKING:
    from regie_sandbox.youtube.app import YouTube

WHAT = ("videos", "thumbnails/set", "captions")
STEP = 256 * 1024
LARGEST = {"videos": 256 * 1024**3, "thumbnails/set": 50 * 1024**2, "captions": 100 * 1024**2}
RANGE = re.compile(r"^bytes (?:(\d+)-(\d+)|\*)/(\d+)$")
BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^\s;]+))')
BLANK, NEWLINE = re.compile(rb"\r?\n\r?\n"), re.compile(rb"\r?\n\Z")
PICTURES = (b"\xff\xd8\xff", b"\x89PNG")
MADE_BY_PART = ("snippet", "status", "paidProductPlacementDetails")


class Uploads:
    def __init__(self, net: YouTube) -> None:
        self.net, self.state = net, net.state

    async def take(self, call: Call) -> web.StreamResponse:
        if call.what not in WHAT:
            raise Trouble(404, "notFound", "Not Found", domain="global")
        call.must(CAPTION if call.what == "captions" else UPLOAD)
        if "upload_id" in call.params:
            return await self._piece(call)
        match call.params.get("uploadType"):
            case "resumable":
                return self._begin(call)
            case "multipart":
                said, content = await _two_parts(call.request)
                return answered(self._made(call, said, content))
            case "media":
                return answered(self._made(call, {}, await call.request.read()))
        raise Trouble(400, "badRequest", "Uploads must be sent to the upload URL.", domain="global")

    def _made(self, call: Call, said: Json, content: bytes) -> Json:
        """What a whole file becomes."""
        if len(content) > LARGEST[call.what]:
            raise Trouble(413, "uploadTooLarge", "Request Too Large", domain="global")
        match call.what:
            case "captions":
                call.part(["id", "snippet"])
                return self.net.does.add_caption(call, said, content)
            case "thumbnails/set":
                return self._cover(call, content)
        video = self._draft(call, said)
        self._filmed(video, content)
        return self._answer(call, video)

    def _cover(self, call: Call, content: bytes) -> Json:
        video = self.net.does.own_video(call, call.given("videoId"))
        if not self.state.channels[video.channel].long_uploads:
            said = "The authenticated user doesn't have permissions to upload and set custom video thumbnails."
            raise Trouble(403, "forbidden", said, domain="youtube.thumbnail")
        if not content:
            raise Trouble(400, "mediaBodyRequired", "The request does not include the image content.")
        if not content.startswith(PICTURES):
            raise Trouble(400, "invalidImage", "The provided image content is invalid.")
        video.cover = "image/png" if content.startswith(PICTURES[1]) else "image/jpeg"
        self.net.world.files.put(f"youtube-cover-{video.id}", content)
        items = [self.net.shown.thumbnails(video)]
        return {"kind": "youtube#thumbnailSetResponse", "etag": "e", "items": items}

    # Piece by piece

    def _begin(self, call: Call) -> web.Response:
        """A place for a file. What is said of a video is looked at before its first byte."""
        if call.what == "videos":
            self.net.count_upload(call.app)
            self._draft(call, call.body)
        given = call.request.headers.get("X-Upload-Content-Length", "")
        size = int(given) if given.isdigit() else 0
        if size > LARGEST[call.what]:
            raise Trouble(413, "uploadTooLarge", "Request Too Large", domain="global")
        session = Session(
            f"ABPtcP{self.net.new_id(40)}",
            call.what,
            call.channel,
            call.app.id,
            call.params,
            call.body,
            call.request.headers.get("X-Upload-Content-Type", "application/octet-stream"),
            size,
        )
        self.state.sessions[session.id] = session
        query = {**call.params, "upload_id": session.id}
        where = call.request.url.with_query(query)
        return web.Response(status=200, headers={"Location": str(where), "X-GUploader-UploadID": session.id})

    async def _piece(self, call: Call) -> web.StreamResponse:
        session = self.state.sessions.get(call.params["upload_id"])
        if session is None or session.what != call.what:
            raise Trouble(404, "notFound", "Not Found", domain="global")
        if session.made:
            return answered(self._answer(call, self.state.videos[session.made]), status=200)
        content = await call.request.read()
        given = call.request.headers.get("Content-Range", "")
        if not given:  # the whole file at once
            given = f"bytes 0-{len(content) - 1}/{len(content)}"
        if (found := RANGE.match(given)) is None:
            raise Trouble(400, "badRequest", "Failed to parse Content-Range header.", domain="global")
        session.size = session.size or int(found[3])
        if found[1] is None:
            return _so_far(session)
        self._append(session, content, int(found[1]), int(found[2]))
        if session.received < session.size:
            return _so_far(session)
        return self._complete(call, session)

    def _append(self, session: Session, content: bytes, first: int, last: int) -> None:
        if first != session.received or last - first + 1 != len(content):
            raise Trouble(400, "badRequest", "Invalid request. Bytes are missing or there twice.", domain="global")
        if last + 1 < session.size and len(content) % STEP:
            raise Trouble(400, "badRequest", "Pieces must be a multiple of 256 KiB.", domain="global")
        self.net.world.files.put(_name(session), (self.net.world.files.get(_name(session)) or b"") + content)
        session.received = last + 1

    def _complete(self, call: Call, session: Session) -> web.Response:
        content = self.net.world.files.get(_name(session)) or b""
        call.params = {**session.params, **call.params}
        if session.what != "videos":
            made = self._made(call, dict(session.said), content)
            del self.state.sessions[session.id]
            return answered(made)
        video = self._draft(call, dict(session.said))
        self._filmed(video, content)
        session.made = video.id
        return answered(self._answer(call, video), status=201)

    # Videos

    def _draft(self, call: Call, said: Json) -> Video:
        """A video as a request describes it, not yet among the others."""
        parts = call.part(["id", *MADE_BY_PART, "localizations", "recordingDetails"])
        now = self.net.now()
        video = Video(self.net.new_id(11), call.channel, now, now, title="unknown", app=call.app.id)
        snippet = said.get("snippet")
        if snippet is not None and "categoryId" not in snippet:
            said = {**said, "snippet": {**snippet, "categoryId": "22"}}
        self.net.does.fill_in(video, said, [part for part in parts if said.get(part) is not None])
        video.notify = call.params.get("notifySubscribers", "true") != "false"
        return video

    def _filmed(self, video: Video, content: bytes) -> None:
        """The file is there: the video exists from now on, and is worked on."""
        if not content:
            raise Trouble(400, "mediaBodyRequired", "The request does not include the video content.")
        seen = looked_at(content)
        if seen is None:
            video.failure = "invalidFile"
        else:
            video.width, video.height = seen[1]
        video.size = len(content)
        video.ready_at = self.net.later(self.net.processing_seconds)
        self.state.videos[video.id] = video
        self.state.channels[video.channel].videos.append(video.id)
        self.net.world.files.put(f"youtube-{video.id}", content)
        self.net.now_visible(video, "private")

    def _answer(self, call: Call, video: Video) -> Json:
        parts = call.part(["id", *MADE_BY_PART, "localizations", "recordingDetails"])
        return self.net.shown.video(video, [part for part in parts if part in MADE_BY_PART])


def _so_far(session: Session) -> web.Response:
    """How much is there; nothing is said of it when it is none."""
    headers = {"Range": f"bytes=0-{session.received - 1}"} if session.received else {}
    return web.Response(status=308, reason="Resume Incomplete", headers=headers)


def _name(session: Session) -> str:
    return f"youtube-upload-{session.id}"


async def _two_parts(request: web.Request) -> tuple[Json, bytes]:
    """RFC 2387: what is said of a file, then the file. Google's own library ends its lines with a bare line feed."""
    boundary = BOUNDARY.search(request.headers.get("Content-Type", ""))
    if not request.content_type.startswith("multipart/") or boundary is None:
        raise Trouble(400, "badContent", "Media type is not supported.", domain="global")
    parts = (await request.read()).split(b"--" + (boundary[1] or boundary[2]).encode())[1:-1]
    try:
        said, content = (BLANK.split(one, maxsplit=1)[1] for one in parts)
        return dict(json.loads(said)), NEWLINE.sub(b"", content)
    except (ValueError, IndexError):
        raise Trouble(400, "parseError", "Parse Error", domain="global") from None
