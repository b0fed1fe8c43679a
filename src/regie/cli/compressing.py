"""How the files that browsers load are compressed, once, at the first start of a version."""

from __future__ import annotations

from typing import Any

import brotli
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Quickly(Compressor):  # type: ignore[misc]  # WhiteNoise tells no types
    """Brotli's best level takes two and a half times as long as the next, for a fiftieth less to load."""

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        return bytes(brotli.compress(data, quality=10))


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # WhiteNoise tells no types
    def create_compressor(self, **options: Any) -> Compressor:
        return Quickly(**options)
