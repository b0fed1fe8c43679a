"""The encryption of push messages against the example that RFC 8291 gives, and the signature that RFC 8292 asks for."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from regie.core import push
from regie.core.push import Browser, Keys, b64, unb64

# RFC 8291, appendix A
TEXT = b"When I grow up, I want to be a watermelon"
OURS = unb64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
POINT = unb64("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")
AUTH = unb64("BTBZMqHH6r4Tts7J_aSIgg")
SALT = unb64("DGv6ra1nlYgDCS1FRnbzlw")
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
BROWSER = Browser("https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV", POINT, AUTH)
NOW = datetime(2030, 3, 1, 9, 0, tzinfo=UTC)


def test_the_example_of_the_standard_comes_out_to_the_last_byte() -> None:
    once = ec.derive_private_key(int.from_bytes(OURS, "big"), ec.SECP256R1())
    assert b64(push.encrypted(TEXT, to=BROWSER, salt=SALT, once=once)) == BODY


def test_no_two_messages_are_alike() -> None:
    assert push.encrypted(TEXT, to=BROWSER) != push.encrypted(TEXT, to=BROWSER)


def test_what_does_not_fit_and_what_is_no_point_are_refused() -> None:
    push.encrypted(b"x" * push.LONGEST, to=BROWSER)
    with pytest.raises(ValueError, match="Too long"):
        push.encrypted(b"x" * (push.LONGEST + 1), to=BROWSER)
    with pytest.raises(ValueError, match="EC key"):
        push.encrypted(TEXT, to=Browser(BROWSER.endpoint, b"\x04" + b"\x01" * 64, AUTH))


def test_the_push_service_can_tell_who_sent_it() -> None:
    keys = Keys.new()
    made = push.message(TEXT, to=BROWSER, by=keys, subject="mailto:a@b.c", now=NOW, ttl=timedelta(hours=1))
    scheme, token, key = made.headers["Authorization"].replace(",", "").split(" ")
    assert (scheme, key, made.headers["TTL"]) == ("vapid", f"k={keys.public}", "3600")
    head, claims, signature = token.removeprefix("t=").split(".")
    assert json.loads(unb64(head)) == {"typ": "JWT", "alg": "ES256"}
    end = int((NOW + timedelta(hours=12)).timestamp())
    assert json.loads(unb64(claims)) == {"aud": "https://push.example.net", "exp": end, "sub": "mailto:a@b.c"}
    raw = unb64(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), unb64(keys.public))
    public.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        public.verify(der, b"something else", ec.ECDSA(hashes.SHA256()))
    assert "private" not in repr(keys)
