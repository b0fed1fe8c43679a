"""A server that speaks S3 and that somebody else wrote: SeaweedFS (Apache-2.0), as its wheel brings it.

Everything on loopback and in one folder, in memory of its own; it is killed with the tests.
"""

from __future__ import annotations

import json
import shutil
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from real_servers.processes import Child, ServerFailed, free_port

BUCKET = "media"
KEY, SECRET = "regie-key", "a secret nobody may read"
READS = ("reader-key", "reader secret of the tests")  # may look and nothing else
OWNER = ("owner-key", "owner secret of the tests")
PORTS = ("master", "volume", "filer", "s3")
TRIES = 3  # a port that was free a moment ago may be taken meanwhile


@dataclass
class Seaweed:
    child: Child
    endpoint: str
    home: Path
    ports: dict[str, int]

    def options(self, prefix: str, copies: Path, **other: Any) -> dict[str, Any]:
        """What ``config.store`` makes of an operator's settings."""
        return {
            "bucket_name": BUCKET,
            "location": prefix,
            "endpoint_url": self.endpoint,
            "region_name": "us-east-1",
            "access_key": KEY,
            "secret_key": SECRET,
            "copies": str(copies),
            "copies_bytes": 10**9,
            **other,
        }

    def environment(self, prefix: str) -> dict[str, str]:
        """As an operator sets it."""
        return {
            "REGIE_MEDIA_STORE": f"s3://{BUCKET}/{prefix}",
            "REGIE_S3_ENDPOINT": self.endpoint,
            "REGIE_S3_REGION": "us-east-1",
            "REGIE_S3_KEY": KEY,
            "REGIE_S3_SECRET": SECRET,
        }


def start(home: Path) -> Seaweed:
    """Ready when a bucket can be made. Raises ServerFailed."""
    for left in reversed(range(TRIES)):
        try:
            return _started(home)
        except ServerFailed:
            if not left:
                raise
    raise AssertionError


def _started(home: Path) -> Seaweed:
    shutil.rmtree(home, ignore_errors=True)
    (home / "data").mkdir(parents=True)
    (home / "s3.json").write_text(json.dumps({"identities": [*_identities()]}))
    ports = {name: free_port() for part in PORTS for name in (part, f"{part}.grpc")}
    where = [f"-{part}.port{end}={ports[part + end]}" for part in PORTS for end in ("", ".grpc")]
    quiet = [
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.iam=false",
        "-s3.autoCreateBucket=false",
        "-master.telemetry=false",
    ]
    small = ["-volume.max=8", "-master.volumeSizeLimitMB=256", "-volume.minFreeSpace=1MiB"]
    loopback = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    command = [str(Path(sys.executable).with_name("weed")), "server", f"-dir={home / 'data'}", "-s3"]
    child = Child.start(
        "seaweedfs",
        [*command, f"-s3.config={home / 's3.json'}", *loopback, *where, *quiet, *small],
        home=home,
        env={"TMPDIR": str(home)},  # where it writes its logs as well
    )
    made = Seaweed(child, f"http://127.0.0.1:{ports['s3']}", home, ports)
    try:
        child.wait_until(lambda: _answers(made.endpoint), seconds=120)
        _make_bucket(made)
    except BaseException:
        child.stop()
        raise
    return made


def _identities() -> list[dict[str, Any]]:
    def one(name: str, pair: tuple[str, str], actions: list[str]) -> dict[str, Any]:
        return {"name": name, "credentials": [{"accessKey": pair[0], "secretKey": pair[1]}], "actions": actions}

    return [
        one("regie", (KEY, SECRET), [f"{right}:{BUCKET}" for right in ("Read", "Write", "List", "Tagging")]),
        one("reader", READS, [f"Read:{BUCKET}", f"List:{BUCKET}"]),
        one("owner", OWNER, ["Admin"]),
    ]


def _answers(endpoint: str) -> bool:
    try:
        with urllib.request.urlopen(endpoint, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True  # it wants a signature
    except OSError:
        return False


def _make_bucket(seaweed: Seaweed) -> None:
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=seaweed.endpoint,
        region_name="us-east-1",
        aws_access_key_id=OWNER[0],
        aws_secret_access_key=OWNER[1],
    )
    seaweed.child.wait_until(lambda: _made(client), seconds=60)


def _made(client: Any) -> bool:
    """A bucket that takes a file: the parts of the server find each other a moment after its door is open."""
    from botocore.exceptions import ClientError

    try:
        client.create_bucket(Bucket=BUCKET)
    except ClientError as exc:
        if exc.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            return False
    try:
        client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready")
    except ClientError:
        return False
    return True
