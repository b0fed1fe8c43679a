"""The video service: takes a file in an account's name, works on it for a while, and lays it down on its server.

Shapes: lexicons app.bsky.video.*, com.atproto.server.getServiceAuth. The real one lives at an address of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from regie_sandbox.bluesky.call import Call, Handle
from regie_sandbox.bluesky.cbor import cid_of_bytes
from regie_sandbox.bluesky.problem import Problem, invalid
from regie_sandbox.bluesky.state import Blob, Job, Leave

if TYPE_CHECKING:
    from regie_sandbox.bluesky.app import Bluesky

LARGEST = 100_000_000
LONGEST_LEAVE = 3600.0


class Videos:
    """``seconds``: how long a video takes; ``fails``: what is wrong with the next one; ``left``: videos of today."""

    def __init__(self, net: Bluesky) -> None:
        self.net = net
        self.seconds, self.fails, self.left = 0.0, "", 25
        self.handlers: dict[tuple[str, str], Handle] = {
            ("GET", "com.atproto.server.getServiceAuth"): self._leave,
            ("GET", "app.bsky.video.getUploadLimits"): self._limits,
            ("POST", "app.bsky.video.uploadVideo"): self._upload,
            ("GET", "app.bsky.video.getJobStatus"): self._status,
        }

    def _now(self) -> float:
        return self.net.world.clock.now().timestamp()

    def _leave(self, call: Call) -> dict[str, Any]:
        did, query = self.net.who(call).did, call.request.query
        if "aud" not in query:
            raise invalid('Error: Params must have the property "aud"')
        expires = float(query.get("exp") or self._now() + 60)
        if not self._now() < expires <= self._now() + LONGEST_LEAVE:
            raise invalid("expiration is not within an hour", "BadExpiration")
        token = f"leave-{len(self.net.state.leaves)}-{did}"
        self.net.state.leaves[token] = Leave(did, query["aud"], query.get("lxm", ""), expires)
        return {"token": token}

    def _who(self, call: Call, method: str) -> str:
        token = call.request.headers.get("Authorization", "").removeprefix("Bearer ")
        leave = self.net.state.leaves.get(token)
        if leave is None or (leave.method, leave.aud) != (method, self.net.own_did()) or leave.expires < self._now():
            raise Problem(401, "AuthenticationRequired", "bad jwt")
        return leave.did

    def _limits(self, call: Call) -> dict[str, Any]:
        self._who(call, "app.bsky.video.getUploadLimits")
        if self.left:
            return {"canUpload": True, "remainingDailyVideos": self.left, "remainingDailyBytes": 10 * LARGEST}
        return {"canUpload": False, "remainingDailyVideos": 0, "message": "User has exceeded daily upload videos limit"}

    def _upload(self, call: Call) -> dict[str, Any]:
        """The token is for the account's server, on which the service writes: not for itself."""
        did = self._who(call, "com.atproto.repo.uploadBlob")
        if call.request.query.get("did") != did:
            raise Problem(401, "AuthenticationRequired", "the token is another account's")
        if call.request.content_type != "video/mp4" or not call.body:
            raise invalid("the body must be video/mp4")
        if len(call.body) > LARGEST:
            raise Problem(413, "PayloadTooLarge", "file size is too large")
        cid = cid_of_bytes(call.body)
        known = next((number for number, job in self.net.state.jobs.items() if (job.did, job.cid) == (did, cid)), None)
        if known is not None:
            raise Known(known, did)
        number = f"job{len(self.net.state.jobs)}"
        self.net.state.jobs[number] = Job(did, cid, self._now() + self.seconds, self.fails)
        self.left -= 1
        self.net.state.blobs[cid] = Blob("video/mp4", len(call.body))
        self.net.world.files.put(f"bluesky-{cid}", call.body)
        return {"jobStatus": {"jobId": number, "did": did, "state": "JOB_STATE_CREATED"}}

    def _status(self, call: Call) -> dict[str, Any]:
        number = call.needed("jobId")
        job = self.net.state.jobs.get(number)
        if job is None:
            raise invalid("job not found")
        status: dict[str, Any] = {"jobId": number, "did": job.did}
        if self._now() < job.ready_at:
            return {"jobStatus": {**status, "state": "JOB_STATE_ENCODING", "progress": 40}}
        if job.failed:
            failed = {"state": "JOB_STATE_FAILED", "error": "validation_failure", "message": job.failed}
            return {"jobStatus": {**status, **failed}}
        blob = self.net.state.blobs[job.cid]
        kept = {"$type": "blob", "ref": {"$link": job.cid}, "mimeType": blob.mime, "size": blob.size}
        return {"jobStatus": {**status, "state": "JOB_STATE_COMPLETED", "progress": 100, "blob": kept}}


class Known(Exception):
    """The same bytes were sent before: a 409 that names their job."""

    def __init__(self, job: str, did: str) -> None:
        super().__init__(job)
        said = {"error": "already_exists", "message": "Video already processed"}
        self.body = {**said, "jobId": job, "did": did, "state": "JOB_STATE_COMPLETED"}
