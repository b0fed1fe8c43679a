"""Files in a bucket that speaks S3: Amazon's, or MinIO, Garage, Ceph, R2, Scaleway and the like.

django-storages and boto3 do the talking. Ours is what they leave open: names that are never used twice, copies for what
needs a file, reading from any place on, patience that ends, and errors in words.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
)
from django.core.files.base import ContentFile, File
from django.utils.crypto import get_random_string
from storages.backends.s3 import S3Storage

from regie.core.store import Copies, StoreAway, copied, whole

CONNECT, READ = 3, 20  # seconds of patience
TRIES = 2
AWAY = 5.0  # seconds in which a store that did not answer is not asked again: others wait for these threads
KEPT_AT_ONCE = 64 * 1024 * 1024  # an upload up to this size is kept here too: it is looked at in a moment
MISSING = ("404", "NoSuchKey", "NotFound")
WHY = {
    "NoSuchBucket": "bucket",
    "InvalidBucketName": "bucket",
    "PermanentRedirect": "region",
    "AuthorizationHeaderMalformed": "region",
    "InvalidAccessKeyId": "key",
    "SignatureDoesNotMatch": "key",
    "InvalidToken": "key",
    "ExpiredToken": "key",
    "AccessDenied": "denied",
    "403": "denied",
    "AllAccessDisabled": "denied",
    "RequestTimeTooSkewed": "clock",
    "QuotaExceeded": "room",
    "XMinioStorageFull": "room",
    "InsufficientStorage": "room",
}


def why(exc: Exception) -> str:
    """One word: away, bucket, region, key, no_key, denied, clock, room, and "other" for what we do not know."""
    if isinstance(exc, ClientError):
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return WHY.get(_code(exc), "room" if status == 507 else "away" if status >= 500 else "other")
    if isinstance(exc, NoCredentialsError | PartialCredentialsError):
        return "no_key"
    return "away" if isinstance(exc, ConnectionError | HTTPClientError) else "other"


def _code(exc: ClientError) -> str:
    return str(exc.response.get("Error", {}).get("Code", ""))


SAID = {
    "away": "{where} does not answer. See that it runs, and that REGIE_S3_ENDPOINT is its address.",
    "bucket": "There is no bucket {bucket} at {where}. Make it there, or correct REGIE_MEDIA_STORE.",
    "region": "The bucket {bucket} is in another region. Set REGIE_S3_REGION to that of the bucket.",
    "key": "{where} does not know the key, or the secret is not that key's. Correct REGIE_S3_KEY and REGIE_S3_SECRET.",
    "no_key": "There is no key for {where}. Set REGIE_S3_KEY and REGIE_S3_SECRET.",
    "denied": "The key may not write, read and delete in the bucket {bucket} at {where}. Give it these rights there.",
    "clock": "This machine's clock differs too much from that of {where}. Set it right (NTP).",
    "room": "{where} has no room left for the bucket {bucket}.",
    "other": "{where} gave an answer we do not understand: {detail}.",
    "differs": "{where} gave other bytes back than it was given.",
}


class Bucket(S3Storage):  # type: ignore[misc]
    """Django's storage for a bucket, or for what is below a prefix of one.

    copies:       folder for copies of its files, and ``copies_bytes``, how much it may hold
    endpoint_url: None for Amazon's own; any other is asked by path, which all of them understand
    """

    def __init__(self, *, copies: str, copies_bytes: int, endpoint_url: str | None = None, **given: Any) -> None:
        checksums = "when_required" if endpoint_url else "when_supported"  # not all others know the newer ones
        config = Config(
            connect_timeout=CONNECT,
            read_timeout=READ,
            retries={"total_max_attempts": TRIES, "mode": "standard"},
            max_pool_connections=20,
            s3={"addressing_style": "path" if endpoint_url else "auto"},
            request_checksum_calculation=checksums,
            response_checksum_validation=checksums,
            user_agent_extra="regie",
        )
        super().__init__(
            endpoint_url=endpoint_url,
            client_config=config,
            transfer_config=TransferConfig(max_concurrency=4),
            file_overwrite=True,  # names are new each time: nothing has to be asked
            default_acl=None,
            **given,
        )
        self.copies = Copies(Path(copies), copies_bytes)
        self._away_until = 0.0

    # As Django's files ask

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Never used before, without asking: of two that ask at once, both would hear that it is free."""
        stem, dot, suffix = name.rpartition(".")
        mark = get_random_string(7)
        return str(super().get_available_name(f"{stem}_{mark}.{suffix}" if dot else f"{name}_{mark}", max_length))

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        if mode != "rb":
            raise ValueError("What is in the bucket is only read; save it anew.")
        return File(self.here(name).open("rb"), name)

    def _save(self, name: str, content: Any) -> str:
        with self._asked():
            saved = str(super()._save(name, content))
        if content.size <= KEPT_AT_ONCE:
            with suppress(OSError):  # no room for a copy: it is in the bucket all the same
                content.seek(0)
                self.copies.put(saved, lambda file: copied(content, file))
        return saved

    def delete(self, name: str) -> None:
        self.copies.forget(name)
        with self._asked():
            super().delete(name)

    def exists(self, name: str) -> bool:
        with self._asked():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        with self._asked(name):
            return int(super().size(name))

    # What only it can

    def here(self, name: str) -> Path:
        """See ``store.Remote``."""

        def fetch(file: IO[bytes]) -> None:
            with self._asked(name):
                copied(self.get(name)["Body"], file)

        return self.copies.get(self, name, fetch)

    def streamed(self, name: str, first: int = 0, last: int | None = None) -> Streamed:
        """See ``store.Remote``."""
        return Streamed(self, name, first, last)

    def put_as(self, name: str, path: Path) -> None:
        """A file under exactly that name; what is there is written over."""
        with self._asked(), path.open("rb") as source:
            super()._save(name, File(source, name))

    def fetch_to(self, name: str, place: Path) -> None:
        """Into a folder of the operator's, whole or not at all."""
        with self._asked(name):
            whole(place, lambda file: copied(self.get(name)["Body"], file))

    def get(self, name: str, *, first: int = 0, last: int | None = None) -> Mapping[str, Any]:
        """The answer of GetObject, from byte ``first`` to byte ``last``, both meant."""
        asked = {"Range": f"bytes={first}-{'' if last is None else last}"} if first or last is not None else {}
        answer: Mapping[str, Any] = self.bucket.meta.client.get_object(
            Bucket=self.bucket_name, Key=self._normalize_name(name), **asked
        )
        return answer

    def try_out(self) -> str:
        """Writes, reads and deletes a small file. Returns what is wrong, in English for an operator, or nothing."""
        name, said = f"regie-doctor/{get_random_string(16)}", secrets.token_bytes(64)
        try:
            with self._asked():
                super()._save(name, ContentFile(said, name))
                back = self.get(name)["Body"].read()
                super().delete(name)
        except StoreAway as exc:
            return self._sentence(exc.why, str(exc.__cause__))
        return "" if back == said else self._sentence("differs")

    def _sentence(self, why: str, detail: str = "") -> str:
        where = self.endpoint_url or "Amazon S3"
        return SAID[why].format(where=where, bucket=self.bucket_name, detail=detail[:200].rstrip("."))

    @contextmanager
    def _asked(self, name: str = "") -> Iterator[None]:
        """One conversation with the store. Raises FileNotFoundError for what is not there, StoreAway for all else."""
        if time.monotonic() < self._away_until:
            raise StoreAway("away")
        try:
            yield
        except ClientError as exc:
            if name and _code(exc) in MISSING:
                raise FileNotFoundError(name) from exc
            raise StoreAway(why(exc)) from exc
        except BotoCoreError as exc:
            if why(exc) == "away":
                self._away_until = time.monotonic() + AWAY
            raise StoreAway(why(exc)) from exc


class Streamed:
    """Bytes of a file in the bucket as they come; ``size`` is how many there will be. Close it."""

    def __init__(self, bucket: Bucket, name: str, first: int, last: int | None) -> None:
        self.bucket = bucket
        with bucket._asked(name):
            answer = bucket.get(name, first=first, last=last)
        self.size, self._body = int(answer["ContentLength"]), answer["Body"]

    def read(self, size: int = -1) -> bytes:
        with self.bucket._asked():
            return bytes(self._body.read(size if size >= 0 else None))

    def close(self) -> None:
        self._body.close()
