"""Who may create the owner: on this machine anybody; from elsewhere only who has read the console."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
from urllib.parse import urlsplit

from regie.config.env import Env
from regie.config.keys import cookie_key


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that name or address."""
    name = host.strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def setup_code(env: Env) -> str:
    """What the welcome page asks for: 50 bits that follow from the cookie key. Empty when no stranger can come."""
    if is_loopback(env.host) and is_loopback(urlsplit(env.public_url).hostname or ""):
        return ""
    digest = hmac.digest(cookie_key(env).encode(), b"regie: the first start", hashlib.sha256)
    code = base64.b32encode(digest).decode().lower()[:10]
    return f"{code[:5]}-{code[5:]}"


def same_code(given: str, wanted: str) -> bool:
    """Compares what a person typed: case, spaces and the dash do not matter, time tells nothing."""
    plain = "".join(character for character in given.lower() if character.isalnum())
    return hmac.compare_digest(plain.encode(), wanted.replace("-", "").encode())
