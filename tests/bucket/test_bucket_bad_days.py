"""The store is away, says no, or tells another time: in words, quickly, and no secret is told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

import botocore.auth
import pytest
from django.core.files.base import ContentFile
from django.test import Client
from seaweed import READS, SECRET, Seaweed

from regie.api.errors import CODES
from regie.cli import doctor
from regie.config import logs, store
from regie.config.env import Env, env
from regie.core.bucket import SAID, Bucket
from regie.core.store import StoreAway
from regie.media import links, services
from regie.media.models import File
from regie.people.models import Member

if TYPE_CHECKING:
    from tests.bucket.conftest import Door

pytestmark = pytest.mark.xdist_group("bucket")
Make = Callable[..., BytesIO]


@pytest.fixture
def coat(alice: Member, picture: Make, bucket: Bucket) -> File:
    return services.upload(workspace=alice.workspace, name="coat.png", source=picture(kind="PNG"), by=alice)


def test_an_upload_says_in_a_sentence_that_the_store_is_away_and_keeps_nothing(
    alice: Member, signed_in: Callable[[Member], Client], picture: Make, door: Door
) -> None:
    door.shut()
    sent = picture()
    sent.name = "coat.jpg"
    answer = signed_in(alice).post("/w/atelier-nord/media/upload/", {"file": sent}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "cannot be reached: nothing was changed" in answer.content.decode()
    assert not File.objects.exists()


def test_a_program_hears_that_it_may_try_again() -> None:
    assert next(status for kind, status, _code in CODES if issubclass(StoreAway, kind)) == 503


def test_pictures_and_public_addresses_say_come_back(
    coat: File, alice: Member, signed_in: Callable[[Member], Client], door: Door, without_copies: Callable[[], None]
) -> None:
    without_copies()
    door.shut()
    public = links.public_url(coat, lasts=timedelta(hours=1)).removeprefix("http://testserver")
    for address in (f"/media/{coat.pk}/{coat.sha256}/original/", public):
        answer = signed_in(alice).get(address)
        assert (answer.status_code, answer["Retry-After"], answer["Cache-Control"]) == (503, "10", "no-store")
    answer = signed_in(alice).get(f"/media/{coat.pk}/{coat.sha256}/shown/")
    assert answer.status_code == 503


def test_a_store_that_does_not_answer_is_not_asked_by_everybody(coat: File, door: Door) -> None:
    away = door.shut()
    with pytest.raises(StoreAway):
        away.size("files/a.png")
    began = time.perf_counter()
    for _time in range(200):
        with pytest.raises(StoreAway):
            away.size("files/a.png")
    assert time.perf_counter() - began < 1, "answered without asking"


def test_what_is_no_longer_needed_stays_when_the_store_is_away_and_the_change_is_kept(
    alice: Member, video: Make, bucket: Bucket, door: Door, django_capture_on_commit_callbacks: Any
) -> None:
    film = services.upload(workspace=alice.workspace, name="wave.mp4", source=video(), by=alice)
    with django_capture_on_commit_callbacks() as later:
        services.describe(file=film, alt="Waves", name="wave.mp4", cover_at=1.0, by=alice)
    door.shut()
    for call in later:
        call()
    film.refresh_from_db()
    assert (film.alt, film.cover_at) == ("Waves", 1.0)


def test_the_cover_before_is_deleted_in_the_bucket(
    alice: Member, video: Make, bucket: Bucket, django_capture_on_commit_callbacks: Any
) -> None:
    film = services.upload(workspace=alice.workspace, name="wave.mp4", source=video(), by=alice)
    before = str(film.thumbnail.name)
    with django_capture_on_commit_callbacks(execute=True):
        services.describe(file=film, alt="Waves", name="wave.mp4", cover_at=1.0, by=alice)
    assert not bucket.exists(before)
    assert bucket.exists(str(film.thumbnail.name))


# What the doctor says


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"bucket_name": "nowhere"}, "denied"),  # this server does not tell a stranger which buckets there are
        ({"access_key": "nobody"}, "key"),
        ({"secret_key": "not this one"}, "key"),
        (dict(zip(("access_key", "secret_key"), READS, strict=True)), "denied"),
        ({}, "away"),
    ],
)
def test_the_doctor_says_what_is_wrong(door: Door, wrong: dict[str, str], why: str) -> None:
    found = door.shut(**wrong)
    said = found.try_out()
    assert said == SAID[why].format(where=found.endpoint_url, bucket=found.bucket_name, detail="")
    assert SECRET not in said


def test_the_doctor_says_that_the_clock_is_wrong(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_a, **_k: later.replace(tzinfo=None))
    assert bucket.try_out() == SAID["clock"].format(where=bucket.endpoint_url)


def test_every_reason_has_a_sentence() -> None:
    from regie.core.bucket import WHY

    assert {*WHY.values(), "away", "other", "no_key", "differs"} == set(SAID)


def test_the_doctor_writes_reads_and_deletes(
    seaweed: Seaweed, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    given = {**seaweed.environment(bucket.location), "REGIE_DATA": str(tmp_path)}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    env.cache_clear()
    try:
        (found,) = doctor._media()
        (tmp_path / "media").mkdir()
        (tmp_path / "media" / "a.png").write_bytes(b"x")
        assert [one.verdict for one in doctor._media()] == ["good", "note"]
        monkeypatch.setenv("REGIE_S3_SECRET", "not this one")
        env.cache_clear()
        wrong = next(doctor._media())
    finally:
        monkeypatch.undo()
        env.cache_clear()
    assert (found.verdict, wrong.verdict) == ("good", "bad")
    listed = bucket.bucket.meta.client.list_objects_v2(Bucket=bucket.bucket_name, Prefix=f"{bucket.location}/")
    assert "Contents" not in listed, "nothing is left of the trial"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("media_store", "bucket"),
        ("media_store", "s3://"),
        ("media_store", "s3://b/a?x=1"),
        ("s3_endpoint", "minio:9000"),
    ],
)
def test_a_setting_that_cannot_be_is_said_at_the_start(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="it is"):
        Env.model_validate({name: value})


def test_settings_lead_to_the_bucket_and_to_the_folder_without_them() -> None:
    assert store.django_storage(Env())["BACKEND"].endswith("FileSystemStorage")
    given = {"media_store": "s3://shop/regie/", "s3_key": "k", "s3_secret": "s"}
    how = store.django_storage(Env.model_validate(given))
    assert (how["OPTIONS"]["bucket_name"], how["OPTIONS"]["location"]) == ("shop", "regie")
    bare = store.django_storage(Env(media_store="s3://shop"))["OPTIONS"]
    assert "access_key" not in bare, "left to Amazon's own variables"


def test_no_secret_is_logged_also_by_the_library(bucket: Bucket, door: Door) -> None:
    formatter = logs.OneLine(known=logs.secrets_of(Env.model_validate({"s3_secret": SECRET})))
    heard: list[str] = []

    class Hears(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(formatter.format(record))

    root, handler, level = logging.getLogger(), Hears(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        bucket.save("files/a.txt", ContentFile(b"x"))
        wrong = door.shut(secret_key=SECRET + " or so")
        with pytest.raises(StoreAway) as refused:
            wrong.size("files/a.txt")
        logging.getLogger("regie").error("It failed.", exc_info=refused.value)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    said = "\n".join(heard) + repr(bucket) + str(refused.value) + str(refused.value.__cause__)
    assert "It failed." in said
    assert SECRET not in said
    assert "Signature=" not in said
