"""Videos: handed to Bluesky's video service, which prepares them and lays them down on the account's own server.

Sources: lexicons app.bsky.video.* and app.bsky.embed.video; https://docs.bsky.app/docs/tutorials/video for the order of
calls: a token for the service, the file, questions about the job until it is over, and its blob goes into the post.
A large file goes in parts, of which those that arrived are written down: a broken line costs one part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp

from regie.networks.bluesky.models import Finished, Job, JobStatus, Limits, Server, ServiceToken, Started
from regie.networks.bluesky.wire import NETWORK, Xrpc, accepted, error_name, parsed, problem_in
from regie.networks.data import Captions, Pending, Progress, Video
from regie.networks.errors import Refused, TokenExpired, TryLater
from regie.networks.line import Answer, read, write

UPLOAD_TIME = aiohttp.ClientTimeout(total=1800, sock_connect=10, sock_read=300)
TOKEN_LASTS = timedelta(minutes=30)  # an upload may take its time, and the service writes with it afterwards
AGAIN = timedelta(seconds=2)
UPLOAD, LIMITS, STATUS = "uploadVideo", "getUploadLimits", "getJobStatus"
START, PART, FINISH = "startUpload", "uploadPart", "finishUpload"
WRITES = "com.atproto.repo.uploadBlob"  # the service does this on the account's server: the token is for that one
LARGEST_CAPTIONS = 20_000
LARGEST_WHOLE = 20_000_000  # bytes of one request; what is larger goes in parts
AT_ONCE = 8  # parts between two visits to the database
STARTS = 3  # of one video's parts
LOST_UPLOAD = frozenset(("UploadNotFound", "UploadExpired", "UploadFailed", "UploadAborted", "MissingParts"))


async def handed_over(xrpc: Xrpc, video: Video, key: str, progress: Progress, *, service: str) -> Progress | Pending:
    """Progress with the video's blob in it, or how far the service is with it. ``service``: its address.

    progress: ``{"parts": {"id", "size", "count", "sent", "starts"}}`` of a large file; then ``{"job"}``, ``{"blob"}``
    """
    if "blob" in progress:
        return progress
    if "job" not in progress and video.size > LARGEST_WHOLE:
        handed = await _in_parts(Parts(xrpc, service, video, key), progress)
        if isinstance(handed, Pending):
            return handed
        job = handed
    elif "job" not in progress:
        job = await _upload(xrpc, video, key, service=service)
    else:
        job = await _asked(xrpc, str(progress["job"]), service=service)
    if job.state == "JOB_STATE_FAILED" and job.error != "already_exists":
        raise Refused("{network} could not prepare the video: {reason}", network=NETWORK, reason=job.why)
    if job.blob is not None:
        return {**progress, "job": job.job_id, "blob": job.blob}
    return Pending(progress={**progress, "job": job.job_id}, not_before=datetime.now(UTC) + AGAIN)


async def _upload(xrpc: Xrpc, video: Video, key: str, *, service: str) -> JobStatus:
    """The whole file in one request. Sent twice it is one video: the service knows the bytes again."""
    owner, now = await _server(xrpc)
    await _must_be_allowed(xrpc, video, service=service, now=now)
    token = await _token(xrpc, aud=owner, method=WRITES, now=now)
    with video.path.open("rb") as opened:
        answer = await write(
            xrpc.http,
            "POST",
            f"{service}/xrpc/app.bsky.video.{UPLOAD}",
            network=NETWORK,
            repeatable=True,
            params={"did": xrpc.did, "name": f"{key}.mp4"},
            headers={
                "Authorization": f"Bearer {token}",
                "Content-Type": "video/mp4",
                "Content-Length": str(video.size),
            },
            data=opened,
            timeout=UPLOAD_TIME,
        )
    return _job(answer)


# In parts


@dataclass(frozen=True, slots=True)
class Parts:
    """The calls that bring one file in parts. Each may be made again: the service knows its parts by their numbers."""

    xrpc: Xrpc
    service: str
    video: Video
    key: str

    async def begin(self, token: str) -> Started:
        said = {
            "sizeBytes": self.video.size,
            "mimeType": self.video.content_type,
            "name": f"{self.key}.mp4",
            "durationMs": round(self.video.seconds * 1000),
            "width": self.video.width,
            "height": self.video.height,
        }
        return parsed(Started, await self._post(START, token, json=said))

    async def send(self, token: str, job: str, number: int, block: bytes) -> None:
        """``number``: from 1."""
        asked = {"jobId": job, "partNumber": str(number)}
        headers = {"Content-Type": "application/octet-stream"}
        await self._post(PART, token, params=asked, headers=headers, data=BytesIO(block), timeout=UPLOAD_TIME)

    async def end(self, token: str, job: str) -> JobStatus:
        return parsed(Finished, await self._post(FINISH, token, json={"jobId": job})).job

    async def _post(self, name: str, token: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> Answer:
        url = f"{self.service}/xrpc/app.bsky.video.{name}"
        signed = {"Authorization": f"Bearer {token}", **(headers or {})}
        return accepted(await read(self.xrpc.http, "POST", url, network=NETWORK, headers=signed, **more))


async def _in_parts(parts: Parts, progress: Progress) -> JobStatus | Pending:
    """Some parts each time. What is lost on the way, or over there, is begun or sent again."""
    now: dict[str, Any] = dict(progress.get("parts", {}))
    try:
        owner, moment = await _server(parts.xrpc)
        if "id" not in now:
            await _must_be_allowed(parts.xrpc, parts.video, service=parts.service, now=moment)
        token = await _token(parts.xrpc, aud=owner, method=WRITES, now=moment)
        if "id" not in now:
            begun = await parts.begin(token)
            now |= {"id": begun.job_id, "size": begun.part_size, "count": begun.part_count, "sent": 0}
        if await _send_some(parts, token, now):
            return await parts.end(token, now["id"])
    except TokenExpired:
        raise
    except TryLater as exc:
        if now == progress.get("parts", {}):
            raise
        return Pending(progress={**progress, "parts": now}, not_before=exc.not_before)  # what arrived is not sent again
    except Refused as exc:
        name = error_name(exc)
        if name == "UploadNotReady":  # it is being put together
            raise TryLater("{network} is still preparing the video.", network=NETWORK) from exc
        now["starts"] = now.get("starts", 0) + 1
        if name not in LOST_UPLOAD or now["starts"] >= STARTS:
            raise
        now = {"starts": now["starts"]} if name != "MissingParts" else {**now, "sent": 0}
    return Pending(progress={**progress, "parts": now}, not_before=datetime.now(UTC))


async def _send_some(parts: Parts, token: str, now: dict[str, Any]) -> bool:
    """True: all of them have arrived."""
    enough = now["sent"] + AT_ONCE
    while now["sent"] < min(now["count"], enough):
        block = _block(parts.video.path, now["sent"] * now["size"], now["size"])
        try:
            await parts.send(token, now["id"], now["sent"] + 1, block)
        except Refused as exc:
            if error_name(exc) != "UploadAlreadyCompleted":
                raise
            now["sent"] = now["count"] - 1  # an earlier end, whose answer was lost
        now["sent"] += 1
    return bool(now["sent"] == now["count"])


def _block(path: Path, begin: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(begin)
        return file.read(size)


async def _must_be_allowed(xrpc: Xrpc, video: Video, *, service: str, now: datetime) -> None:
    """Some accounts may upload nothing (an address never confirmed), and each only so much in a day."""
    token = await _token(xrpc, aud=did_of(service), method=f"app.bsky.video.{LIMITS}", now=now)
    url = f"{service}/xrpc/app.bsky.video.{LIMITS}"
    headers = {"Authorization": f"Bearer {token}"}
    limits = parsed(Limits, accepted(await read(xrpc.http, "GET", url, network=NETWORK, headers=headers)))
    if limits.can_upload and (limits.remaining_daily_bytes or video.size) >= video.size:
        return
    if limits.remaining_daily_videos == 0 or limits.can_upload:
        raise TryLater(
            "{network} takes no more videos of this account today.",
            network=NETWORK,
            not_before=datetime.now(UTC) + timedelta(hours=1),
        )
    raise Refused("{network} said: {reason}", network=NETWORK, reason=limits.message or limits.error or LIMITS)


async def _server(xrpc: Xrpc) -> tuple[str, datetime]:
    """Who the account's own server is, and its clock, by which tokens end."""
    answer = await xrpc.query("com.atproto.server.describeServer")
    return parsed(Server, answer).did, answer.now


async def _token(xrpc: Xrpc, *, aud: str, method: str, now: datetime) -> str:
    """Leave for one method of another service, in the account's name."""
    until = int((now + TOKEN_LASTS).timestamp())
    params = {"aud": aud, "lxm": method, "exp": str(until)}
    return parsed(ServiceToken, await xrpc.query("com.atproto.server.getServiceAuth", params)).token


async def _asked(xrpc: Xrpc, job: str, *, service: str) -> JobStatus:
    url = f"{service}/xrpc/app.bsky.video.{STATUS}"
    return _job(await read(xrpc.http, "GET", url, network=NETWORK, params={"jobId": job}))


def _job(answer: Answer) -> JobStatus:
    """As the lexicon has it, or, as the service was seen to answer, without the wrapping; a video that is there already
    is a 409 that names its job."""
    if answer.status == 409 and (problem := problem_in(answer)) is not None and problem.error == "already_exists":
        return parsed(JobStatus, answer)
    accepted(answer)
    job = parsed(Job, answer)
    return job.status if job.status is not None else parsed(JobStatus, answer)


def did_of(address: str) -> str:
    """The identity of a service that lives at an address. Source: https://w3c-ccg.github.io/did-method-web/"""
    return "did:web:" + address.split("://")[1].rstrip("/").replace(":", "%3A")


async def embedded(xrpc: Xrpc, video: Video, blob: Mapping[str, Any]) -> dict[str, Any]:
    """The video as a part of a post, with its subtitles."""
    embed: dict[str, Any] = {
        "$type": "app.bsky.embed.video",
        "video": blob,
        "aspectRatio": {"width": video.width, "height": video.height},
    }
    if video.alt:
        embed["alt"] = video.alt
    if video.captions is not None:
        embed["captions"] = [{"lang": video.captions.language, "file": await _subtitles(xrpc, video.captions)}]
    return embed


async def _subtitles(xrpc: Xrpc, captions: Captions) -> dict[str, Any]:
    if captions.size > LARGEST_CAPTIONS:
        raise Refused("{network} takes subtitles of at most 20,000 bytes.", network=NETWORK)
    return await xrpc.blob(captions.path, captions.content_type)
