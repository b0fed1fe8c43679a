"""Notices reach browsers through a push service: encrypted for them alone, each once, as each person chose."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import LazySettings
from django.test import Client

from regie.core.errors import Problem
from regie.core.push import b64, point_of
from regie.core.sealed import CannotOpen, Sealer
from regie.people import notices, push, telling
from regie.people.models import Member, Notice, PushBrowser, PushKeys, User

if TYPE_CHECKING:
    from tests.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)
ME = "/w/atelier-nord/me/"


@dataclass
class Service:
    """A push service on a loopback port, and the browser behind it, which decrypts as RFC 8291 says."""

    address: str = ""
    status: int = 201
    got: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"sixteen bytes ok"

    def form(self, path: str = "one") -> dict[str, str]:
        """What the browser tells us when its person agrees."""
        point = b64(point_of(self.key))
        return {"endpoint": f"{self.address}/{path}", "p256dh": point, "auth": b64(self.auth), "name": "Firefox"}

    def read(self, body: bytes) -> dict[str, Any]:
        salt, size, theirs, rest = body[:16], int.from_bytes(body[16:20], "big"), body[21 : 21 + body[20]], body[86:]
        assert len(rest) <= size
        sender = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
        shared = self.key.exchange(ec.ECDH(), sender)
        secret = _hkdf(shared, self.auth, b"WebPush: info\0" + point_of(self.key) + theirs, 32)
        key = _hkdf(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = _hkdf(secret, salt, b"Content-Encoding: nonce\0", 12)
        plain = AESGCM(key).decrypt(nonce, rest, None).rstrip(b"\0")
        assert plain[-1:] == b"\x02"  # the last record
        said: dict[str, Any] = json.loads(plain[:-1])
        return said


def _hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


@pytest.fixture
def service(settings: LazySettings) -> Iterator[Service]:
    there = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if there.status < 300:
                there.got.append(there.read(body))
                there.headers.append(dict(self.headers))
            self.send_response(there.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there.address = f"http://127.0.0.1:{server.server_port}"
    settings.ALLOWED_HOSTS_OUT = [there.address]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield there
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def device(service: Service, alice: Member) -> PushBrowser:
    return push.subscribe(user=alice.user, **service.form())


def tell(member: Member, key: str = "k", **more: Any) -> None:
    told = {"kind": "account.broken", "facts": {"account": "Atelier", "network": "Mastodon"}, "urgent": True, **more}
    notices.tell([member.user], workspace=member.workspace, key=key, path="accounts/7/", **told)


def send() -> int:
    return asyncio.run(push.push_urgent())


def test_a_notice_is_shown_on_the_device_once_in_the_persons_language(
    clock: Clock, service: Service, device: PushBrowser, alice: Member
) -> None:
    User.objects.update(language="fr")
    tell(alice)
    tell(alice)
    assert (send(), send()) == (1, 0)
    (said,) = service.got
    assert (said["title"], said["url"]) == ("Atelier Nord", "/w/atelier-nord/accounts/7/")
    assert "doit être" in said["body"] or "reconnect" in said["body"]
    (headers,) = service.headers
    assert headers["Content-Encoding"] == "aes128gcm"
    assert headers["Authorization"].startswith("vapid t=")
    assert headers["Urgency"] == "high"


def test_only_what_cannot_wait_and_was_not_read_is_pushed(
    clock: Clock, service: Service, device: PushBrowser, alice: Member
) -> None:
    tell(alice, "calm", urgent=False)
    tell(alice, "read")
    Notice.objects.filter(key="read").update(read_at=clock.moment)
    tell(alice, "old")
    Notice.objects.filter(key="old").update(created_at=clock.moment - push.TOO_OLD)
    assert send() == 0
    assert service.got == []


@pytest.mark.parametrize("by_push", [True, False])
@pytest.mark.parametrize("by_email", [True, False])
def test_each_person_chooses_the_channels_and_each_is_used_once(
    clock: Clock,
    service: Service,
    device: PushBrowser,
    alice: Member,
    mailoutbox: list[object],
    by_push: bool,
    by_email: bool,
) -> None:
    User.objects.update(by_push=by_push, by_email=by_email)
    tell(alice)
    for _round in range(2):
        send()
        telling.mail_urgent()
    assert (len(service.got), len(mailoutbox)) == (int(by_push), int(by_email))
    assert Notice.objects.count() == 1  # in the app in any case


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(
    clock: Clock, service: Service, device: PushBrowser, alice: Member, status: int
) -> None:
    push.subscribe(user=alice.user, **service.form("two"))
    tell(alice)
    service.status = status
    send()
    assert not PushBrowser.objects.exists()


@pytest.mark.parametrize("status", [429, 503])
def test_trouble_on_the_way_is_tried_again(
    clock: Clock, service: Service, device: PushBrowser, alice: Member, status: int
) -> None:
    tell(alice)
    service.status = status
    assert send() == 0
    service.status = 201
    assert send() == 1
    assert len(service.got) == 1


def test_the_keys_are_made_once_and_sealed(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    first = push.keys()
    assert push.keys() == first
    row = PushKeys.objects.get()
    assert first.private not in bytes(row.sealed_private)
    monkeypatch.setattr(push, "sealer", lambda: Sealer([b"n" * 32]))
    with pytest.raises(CannotOpen):
        push.keys()


@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "http://push.example/1"},
        {"endpoint": "https:///x"},
        {"endpoint": "not an address"},
        {"p256dh": "AAAA"},
        {"auth": "AAAA"},
        {"auth": "é"},
    ],
)
def test_what_no_browser_gives_is_refused(service: Service, alice: Member, change: dict[str, str]) -> None:
    with pytest.raises(Problem):
        push.subscribe(user=alice.user, **{**service.form(), **change})


def test_an_inner_address_is_never_spoken_to(
    clock: Clock, service: Service, alice: Member, settings: LazySettings
) -> None:
    push.subscribe(user=alice.user, **service.form())
    settings.ALLOWED_HOSTS_OUT = []
    tell(alice)
    assert send() == 0
    assert service.got == []


def test_a_person_adds_tries_and_removes_a_device(
    clock: Clock, service: Service, alice: Member, bob: Member, signed_in: Callable[[Member], Client]
) -> None:
    client = signed_in(alice)
    assert client.post(f"{ME}devices/", service.form()).status_code == 204
    assert "Firefox" in client.get(ME).text
    client.post(f"{ME}devices/try/")
    send()
    assert [said["body"] for said in service.got] == ["This device shows your notices: all is well."]
    device = PushBrowser.objects.get()
    assert signed_in(bob).post(f"{ME}devices/{device.pk}/remove/").status_code == 404
    client.post(f"{ME}devices/{device.pk}/remove/")
    assert not PushBrowser.objects.exists()


def test_the_same_browser_with_another_person_shows_only_theirs(
    clock: Clock, service: Service, device: PushBrowser, alice: Member, bob: Member
) -> None:
    push.subscribe(user=bob.user, **service.form())
    tell(alice)
    assert send() == 0
    assert PushBrowser.objects.get().user == bob.user


def test_a_phone_takes_it_for_an_app(db: None) -> None:
    made = Client().get("/manifest.webmanifest").json()
    assert (made["display"], made["start_url"]) == ("standalone", "/")
    assert {icon["sizes"] for icon in made["icons"]} == {"192x192", "512x512"}
    worker = Client().get("/sw.js")
    assert worker.headers["Content-Type"].startswith("text/javascript")
    assert "showNotification" in worker.text
