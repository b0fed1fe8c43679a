"""``regie keys rotate``: a new sealing key, and every secret sealed again under it."""

from __future__ import annotations

from regie.cli.django import ready, tell
from regie.cli.errors import Stop
from regie.config.env import env
from regie.config.keys import sealing_key_path
from regie.core.sealed import add_key, sealer


def rotate() -> int:
    """Adds a key and seals all again. The old keys stay in the file: backups made under them still open."""
    given = env().sealing_key
    if given is not None:
        if "," not in given.get_secret_value():
            raise Stop(
                "The key is in REGIE_SEALING_KEY: put a new one (base64 of 32 bytes) before it, separated by a comma, "
                "restart everything, and run this again."
            )
        return _seal_again()
    add_key(sealing_key_path(env()))
    sealer.cache_clear()
    return _seal_again()


def _seal_again() -> int:
    with ready():
        from regie.accounts.services import seal_everything_again

        count = seal_everything_again()
    tell(f"{count} secrets are sealed under the new key. Restart Régie so that every process knows it.")
    return 0
