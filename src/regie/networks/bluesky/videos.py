"""Videos: handed to Bluesky's video service, which prepares them and lays them down on the account's own server.

Sources: lexicons app.bsky.video.* and app.bsky.embed.video; https://docs.bsky.app/docs/tutorials/video for the order of
calls: a token for the service, the file, questions about the job until it is over, and its blob goes into the post.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from regie.networks.bluesky.models import Job, JobStatus, Limits, Server, ServiceToken
from regie.networks.bluesky.wire import NETWORK, Xrpc, accepted, parsed, problem_in
from regie.networks.data import Captions, Pending, Progress, Video
from regie.networks.errors import Refused, TryLater
from regie.networks.line import Answer, read, write

UPLOAD_TIME = aiohttp.ClientTimeout(total=1800, sock_connect=10, sock_read=300)
TOKEN_LASTS = timedelta(minutes=30)  # an upload may take its time, and the service writes with it afterwards
AGAIN = timedelta(seconds=2)
UPLOAD, LIMITS, STATUS = "uploadVideo", "getUploadLimits", "getJobStatus"
LARGEST_CAPTIONS = 20_000


async def handed_over(xrpc: Xrpc, video: Video, key: str, progress: Progress, *, service: str) -> Progress | Pending:
    """Progress with the video's blob in it, or how far the service is with it. ``service``: its address."""
    if "blob" in progress:
        return progress
    if "job" not in progress:
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
    await _must_be_allowed(xrpc, video, service=service)
    owner = parsed(Server, await xrpc.query("com.atproto.server.describeServer")).did
    token = await _token(xrpc, aud=owner, method="com.atproto.repo.uploadBlob")
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


async def _must_be_allowed(xrpc: Xrpc, video: Video, *, service: str) -> None:
    """Some accounts may upload nothing (an address never confirmed), and each only so much in a day."""
    token = await _token(xrpc, aud=did_of(service), method=f"app.bsky.video.{LIMITS}")
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


async def _token(xrpc: Xrpc, *, aud: str, method: str) -> str:
    """Leave for one method of another service, in the account's name."""
    until = int((datetime.now(UTC) + TOKEN_LASTS).timestamp())
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
