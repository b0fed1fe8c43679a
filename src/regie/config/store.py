"""Where the media are kept: a folder of this machine, or a bucket that ``REGIE_MEDIA_STORE`` names."""

from __future__ import annotations

from typing import Any

from regie.config.env import Env

FOLDER = {"BACKEND": "django.core.files.storage.FileSystemStorage"}


def django_storage(env: Env) -> dict[str, Any]:
    """The entry of STORAGES for what people upload. What is left empty is for boto3 to find."""
    if not env.media_store:
        return FOLDER
    bucket, _slash, prefix = env.media_store.removeprefix("s3://").partition("/")
    options: dict[str, Any] = {
        "bucket_name": bucket,
        "location": prefix,
        "endpoint_url": env.s3_endpoint or None,
        "region_name": env.s3_region or None,
        "copies": str(env.data / "copies"),
        "copies_bytes": int(env.s3_copies_gb * 1024**3),
    }
    if env.s3_key is not None and env.s3_secret is not None:
        options["access_key"], options["secret_key"] = env.s3_key.get_secret_value(), env.s3_secret.get_secret_value()
    return {"BACKEND": "regie.core.bucket.Bucket", "OPTIONS": options}
