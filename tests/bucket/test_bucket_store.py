"""Media in a bucket, on a server that somebody else wrote: kept, read whole and in pieces, copied here, deleted."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client

from regie.core import store
from regie.core.bucket import Bucket
from regie.core.store import Copies, NotHere
from regie.media import services
from regie.media.models import File
from regie.people.models import Member

if TYPE_CHECKING:
    from seaweed import Seaweed

pytestmark = pytest.mark.xdist_group("bucket")
Make = Callable[..., BytesIO]


def objects(bucket: Bucket) -> list[str]:
    """What is really there, as the server lists it."""
    listed = bucket.bucket.meta.client.list_objects_v2(Bucket=bucket.bucket_name, Prefix=f"{bucket.location}/")
    return [str(one["Key"]).removeprefix(f"{bucket.location}/") for one in listed.get("Contents", [])]


def copies(bucket: Bucket) -> list[Path]:
    return [path for path in bucket.copies.folder.rglob("*") if path.is_file()]


@pytest.fixture
def coat(alice: Member, picture: Make, bucket: Bucket) -> File:
    return services.upload(workspace=alice.workspace, name="coat.png", source=picture(kind="PNG", noise=True), by=alice)


def test_an_upload_lies_in_the_bucket_and_not_in_the_folder(
    coat: File, bucket: Bucket, settings: Any, picture: Make
) -> None:
    assert set(objects(bucket)) == {coat.file.name, coat.thumbnail.name}
    assert not (settings.MEDIA_ROOT / str(coat.file.name)).exists()
    whole = bucket.get(str(coat.file.name))["Body"].read()
    assert (len(whole), whole[:4]) == (coat.size, b"\x89PNG")


def test_the_same_name_twice_is_two_files(bucket: Bucket) -> None:
    first, second = (bucket.save("files/a.txt", ContentFile(said)) for said in (b"one", b"two"))
    assert first != second
    assert [bucket.here(name).read_bytes() for name in (first, second)] == [b"one", b"two"]


def test_what_is_not_there_is_not_found(bucket: Bucket) -> None:
    for look in (bucket.here, bucket.size, bucket.streamed):
        with pytest.raises(FileNotFoundError):
            look("files/none.png")
    assert not bucket.exists("files/none.png")
    bucket.delete("files/none.png")
    assert copies(bucket) == []


def test_a_copy_is_fetched_once_and_kept(coat: File, bucket: Bucket) -> None:
    bucket.copies.forget(str(coat.file.name))
    with services.local(coat.file) as path:
        first = path.stat().st_ino
        assert path.name == Path(str(coat.file.name)).name
        assert path.stat().st_mode & 0o077 == 0
    with services.local(coat.file) as path:
        assert path.stat().st_ino == first


def test_many_who_want_the_same_at_once_never_see_half_of_it(bucket: Bucket) -> None:
    whole = os.urandom(3_000_000)
    name = bucket.save("files/large.bin", ContentFile(whole))
    bucket.copies.forget(name)
    seen: list[bool] = []
    threads = [threading.Thread(target=lambda: seen.append(bucket.here(name).read_bytes() == whole)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 6
    assert [path.name for path in copies(bucket)] == [Path(name).name]


def test_what_may_not_be_waited_for_is_named_and_fetched_elsewhere(coat: File, bucket: Bucket) -> None:
    bucket.copies.forget(str(coat.file.name))
    with store.only_what_is_here(), pytest.raises(NotHere) as missing:
        store.path_of(coat.file)
    store.bring(missing.value.names[0])
    with store.only_what_is_here():
        assert store.path_of(coat.file).stat().st_size == coat.size


def test_copies_stay_within_their_bytes_and_the_longest_unused_go_first(tmp_path: Path) -> None:
    kept = Copies(tmp_path, most_bytes=1_000_000)
    now = time.time()
    for number in range(4):
        kept.put(f"files/{number}", lambda file: file.write(b"x" * 1000))
        os.utime(kept.place(f"files/{number}"), (now, now - (4 - number) * 3 * store.IN_USE))
    (left := kept.place("files/cut.part")).write_bytes(b"x")
    os.utime(left, (0, 0))
    assert kept.found("files/0") is not None  # used just now
    kept.most_bytes = 2500
    kept.sweep()
    assert [kept.place(f"files/{number}").exists() for number in range(4)] == [True, False, False, True]
    assert not left.exists()


def test_copies_in_use_stay_also_when_that_is_more(tmp_path: Path) -> None:
    kept = Copies(tmp_path, most_bytes=10)
    for number in range(3):
        kept.put(f"files/{number}", lambda file: file.write(b"x" * 1000))
    assert all(kept.place(f"files/{number}").exists() for number in range(3))


def test_a_name_cannot_lead_out_of_the_copies(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="outside"):
        Copies(tmp_path / "copies", most_bytes=10).place("../secret")


def test_a_browser_gets_the_picture_through_us_and_keeps_it(
    coat: File, alice: Member, signed_in: Callable[[Member], Client], seaweed: Seaweed, bucket: Bucket
) -> None:
    browser = signed_in(alice)
    for path in copies(bucket):
        path.unlink()
    for what, kind in (("thumbnail", "image/webp"), ("original", "image/png")):
        answer = browser.get(f"/media/{coat.pk}/{coat.sha256}/{what}/")
        body = answer.getvalue()
        assert (answer.status_code, answer["Content-Type"], int(answer["Content-Length"])) == (200, kind, len(body))
        assert seaweed.endpoint not in str(answer.headers)
    assert copies(bucket) == []  # passed on, and not kept


def test_a_file_is_kept_also_when_there_is_no_room_for_a_copy(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "copies").write_text("A file where the folder should be: nothing can be written below it.")
    name = bucket.save("files/a.txt", ContentFile(b"kept"))
    assert bucket.get(name)["Body"].read() == b"kept"
