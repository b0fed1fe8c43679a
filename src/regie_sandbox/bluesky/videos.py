"""The video service: takes a file in an account's name, works on it for a while, and lays it down on its server.

Shapes: lexicons app.bsky.video.*, com.atproto.server.getServiceAuth. The real one lives at an address of its own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from regie_sandbox.bluesky.call import Call, Handle, text_in
from regie_sandbox.bluesky.cbor import cid_of_bytes
from regie_sandbox.bluesky.problem import Problem, invalid
from regie_sandbox.bluesky.state import Blob, Job, Leave, Upload
from regie_sandbox.bluesky.store import iso

if TYPE_CHECKING:
    from regie_sandbox.bluesky.app import Bluesky

LARGEST = 100_000_000  # in one request
LARGEST_IN_PARTS = 300_000_000
KEPT = timedelta(hours=1)  # an upload that nobody ends
LONGEST_LEAVE = 3600.0


class Videos:
    """``seconds``: how long a video takes; ``fails``: what is wrong with the next one; ``left``: videos of today;
    ``part_bytes``: of an upload in parts."""

    def __init__(self, net: Bluesky) -> None:
        self.net = net
        self.seconds, self.fails, self.left = 0.0, "", 25
        self.part_bytes = 5_000_000
        self.handlers: dict[tuple[str, str], Handle] = {
            ("GET", "com.atproto.server.getServiceAuth"): self._leave,
            ("GET", "app.bsky.video.getUploadLimits"): self._limits,
            ("POST", "app.bsky.video.uploadVideo"): self._upload,
            ("POST", "app.bsky.video.startUpload"): self._start,
            ("POST", "app.bsky.video.uploadPart"): self._part,
            ("POST", "app.bsky.video.finishUpload"): self._finish,
            ("GET", "app.bsky.video.getUploadStatus"): self._upload_status,
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
        number, known = self._taken(did, call.body)
        if known:
            raise Known(number, did)
        return {"jobStatus": {"jobId": number, "did": did, "state": "JOB_STATE_CREATED"}}

    def _taken(self, did: str, content: bytes) -> tuple[str, bool]:
        """The job of a whole file, and whether the same bytes had one already."""
        cid = cid_of_bytes(content)
        known = next((number for number, job in self.net.state.jobs.items() if (job.did, job.cid) == (did, cid)), None)
        if known is not None:
            return known, True
        number = f"job{len(self.net.state.jobs)}"
        self.net.state.jobs[number] = Job(did, cid, self._now() + self.seconds, self.fails)
        self.left -= 1
        self.net.state.blobs[cid] = Blob("video/mp4", len(content))
        self.net.world.files.put(f"bluesky-{cid}", content)
        return number, False

    # In parts

    def _start(self, call: Call) -> dict[str, Any]:
        did, said = self._who(call, "com.atproto.repo.uploadBlob"), call.json()
        size = said.get("sizeBytes")
        if not isinstance(size, int) or size < 1:
            raise invalid("Error: Input/sizeBytes must be an integer")
        if text_in(said, "mimeType") != "video/mp4":
            raise Problem(400, "UnsupportedContentType", "The declared MIME type is not supported.")
        if size > LARGEST_IN_PARTS:
            raise Problem(400, "VideoTooLarge", "The exact file size exceeds the per-file cap.")
        if not self.left:
            raise Problem(400, "DailyLimitExceeded", "The daily video or byte allowance is exhausted.")
        number = f"upload{len(self.net.state.uploads)}"
        until = self.net.world.clock.now() + KEPT
        upload = Upload(did, size, self.part_bytes, -(-size // self.part_bytes), until)
        self.net.state.uploads[number] = upload
        return {"jobId": number, **_shape(upload)}

    def _upload_of(self, call: Call, number: str) -> Upload:
        did, upload = self._who(call, "com.atproto.repo.uploadBlob"), self.net.state.uploads.get(number)
        if upload is None or upload.did != did:
            raise Problem(400, "UploadNotFound", "The job ID is unknown or aged out of retention.")
        return upload

    def _part(self, call: Call) -> dict[str, Any]:
        job, number = call.needed("jobId"), call.number("partNumber", 0, 0, 10_000)
        upload = self._upload_of(call, job)
        if upload.job:
            raise Problem(400, "UploadAlreadyCompleted", "The session is known to have already completed.")
        if upload.until < self.net.world.clock.now():
            raise Problem(400, "UploadExpired", "The upload session expired before completion.")
        if not 1 <= number <= upload.count:
            raise Problem(400, "InvalidPartNumber", "The part number is outside the upload's valid part range.")
        if len(call.body) != min(upload.part, upload.size - (number - 1) * upload.part):
            raise Problem(400, "PartSizeMismatch", "Content-Length does not match the expected size for this part.")
        self.net.world.files.put(f"bluesky-{job}-{number}", call.body)
        upload.parts.add(number)
        return {"partNumber": number, "sizeBytes": len(call.body)}

    def _finish(self, call: Call) -> dict[str, Any]:
        job = text_in(call.json(), "jobId")
        upload = self._upload_of(call, job)
        if not upload.job:
            if missing := sorted(set(range(1, upload.count + 1)) - upload.parts):
                raise Problem(400, "MissingParts", f"Missing parts: {', '.join(map(str, missing))}")
            blocks = [self.net.world.files.get(f"bluesky-{job}-{n}") or b"" for n in range(1, upload.count + 1)]
            upload.job, _ = self._taken(upload.did, b"".join(blocks))
        return {"completedJobId": upload.job, "jobStatus": self._said_of(upload.job)}

    def _upload_status(self, call: Call) -> dict[str, Any]:
        job = call.needed("jobId")
        upload = self._upload_of(call, job)
        state = "completed" if upload.job else "expired" if upload.until < self.net.world.clock.now() else "created"
        done = {"completedJobId": upload.job, "jobStatus": self._said_of(upload.job)} if upload.job else {}
        return {"jobId": job, **_shape(upload), "receivedParts": sorted(upload.parts), "state": state, **done}

    # The work

    def _status(self, call: Call) -> dict[str, Any]:
        number = call.needed("jobId")
        if number not in self.net.state.jobs:
            raise invalid("job not found")
        return {"jobStatus": self._said_of(number)}

    def _said_of(self, number: str) -> dict[str, Any]:
        job = self.net.state.jobs[number]
        status: dict[str, Any] = {"jobId": number, "did": job.did}
        if self._now() < job.ready_at:
            return {**status, "state": "JOB_STATE_ENCODING", "progress": 40}
        if job.failed:
            return {**status, "state": "JOB_STATE_FAILED", "error": "validation_failure", "message": job.failed}
        blob = self.net.state.blobs[job.cid]
        kept = {"$type": "blob", "ref": {"$link": job.cid}, "mimeType": blob.mime, "size": blob.size}
        return {**status, "state": "JOB_STATE_COMPLETED", "progress": 100, "blob": kept}


def _shape(upload: Upload) -> dict[str, Any]:
    return {"partSizeBytes": upload.part, "partCount": upload.count, "expiresAt": iso(upload.until)}


class Known(Exception):
    """The same bytes were sent before: a 409 that names their job."""

    def __init__(self, job: str, did: str) -> None:
        super().__init__(job)
        said = {"error": "already_exists", "message": "Video already processed"}
        self.body = {**said, "jobId": job, "did": did, "state": "JOB_STATE_COMPLETED"}
