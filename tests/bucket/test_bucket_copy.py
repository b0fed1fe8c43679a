"""``regie media copy``: from the folder into the bucket and back, going on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from regie.cli import media
from regie.cli.errors import Stop
from regie.core.bucket import Bucket
from regie.media import services
from regie.media.models import File
from regie.people.models import Member

if TYPE_CHECKING:
    from tests.bucket.conftest import Door

pytestmark = pytest.mark.xdist_group("bucket")
Make = Callable[..., BytesIO]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def coats(alice: Member, picture: Make, bucket: Bucket, folder: Path, settings: Any) -> list[File]:
    """Two pictures from before there was a bucket: five files, as one has a rendition of its own."""
    with_bucket = settings.STORAGES
    how = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**with_bucket, "default": how}
    made = [
        services.upload(
            workspace=alice.workspace, name=f"{width}.png", source=picture(width=width, kind="PNG"), by=alice
        )
        for width in (100, 2000)
    ]
    for one in made:
        services.rendition_for(one, services.SHOWN)
    settings.STORAGES = with_bucket
    return list(File.objects.order_by("width"))


def test_everything_goes_into_the_bucket_under_its_name_once(
    coats: list[File], bucket: Bucket, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert media.all_of_them(bucket, folder, to="bucket") == 0
    assert capsys.readouterr().out == "5 copied, 0 were there already, 0 missing.\n"
    for one in coats:
        assert bucket.here(str(one.file.name)).read_bytes() == (folder / str(one.file.name)).read_bytes()
    assert media.all_of_them(bucket, folder, to="bucket") == 0
    assert capsys.readouterr().out == "0 copied, 5 were there already, 0 missing.\n"


def test_it_goes_on_after_the_store_was_away(
    coats: list[File], bucket: Bucket, folder: Path, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.put_as(str(coats[0].file.name), folder / str(coats[0].file.name))
    with pytest.raises(Stop, match="run the same again"):
        media.all_of_them(door.shut(), folder, to="bucket")
    assert media.all_of_them(bucket, folder, to="bucket") == 0
    assert capsys.readouterr().out == "4 copied, 1 were there already, 0 missing.\n"


def test_half_a_file_is_copied_again_and_one_that_is_nowhere_is_named(
    coats: list[File], bucket: Bucket, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = str(coats[1].file.name)
    bucket.put_as(name, Path(__file__))
    (folder / str(coats[0].thumbnail.name)).unlink()
    assert media.all_of_them(bucket, folder, to="bucket") == 1
    assert f"missing: {coats[0].thumbnail.name}\n" in capsys.readouterr().out
    assert bucket.size(name) == (folder / name).stat().st_size


def test_and_back_for_a_backup_or_for_good(
    coats: list[File], bucket: Bucket, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    media.all_of_them(bucket, folder, to="bucket")
    other = tmp_path / "other"
    assert media.all_of_them(bucket, other, to="folder") == 0
    assert media.all_of_them(bucket, other, to="folder") == 0
    assert "0 copied, 5 were there already" in capsys.readouterr().out
    for one in coats:
        name = str(one.file.name)
        assert (other / name).read_bytes() == (folder / name).read_bytes()


def test_without_a_bucket_there_is_nothing_to_copy() -> None:
    with pytest.raises(Stop, match="REGIE_MEDIA_STORE is not set"):
        media.copy(to="bucket")
