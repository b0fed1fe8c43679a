"""What is taken as a picture, and what is refused with a sentence."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from regie.media import pictures, services
from regie.media.errors import DiskFull, NotAPicture, TooBig
from regie.media.models import File
from regie.people.errors import NotAllowed
from regie.people.models import AuditEntry, Member

Picture = Callable[..., BytesIO]


def upload(alice: Member, source: BytesIO, name: str = "photo.jpg") -> File:
    return services.upload(workspace=alice.workspace, name=name, source=source, by=alice)


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", "image/gif")],
)
def test_a_picture_is_what_its_bytes_say(alice: Member, picture: Picture, kind: str, content_type: str) -> None:
    file = upload(alice, picture(kind=kind), "called-wrong.txt")
    assert (file.content_type, file.width, file.height) == (content_type, 320, 240)
    with file.thumbnail.open("rb") as thumbnail:
        assert Image.open(thumbnail).format == "WEBP"
    assert AuditEntry.objects.filter(did="file.uploaded", what_id=file.pk, user=alice.user).exists()


def test_a_photo_of_a_telephone_is_taken_and_shown(alice: Member) -> None:
    file = upload(alice, BytesIO((Path(__file__).parent / "phone.heic").read_bytes()), "IMG_0001.HEIC")
    assert (file.content_type, file.width, file.height) == ("image/heic", 96, 64)
    shown = services.rendition_for(file, services.SHOWN)
    assert (shown.content_type, shown.width, shown.height) == ("image/jpeg", 96, 64)
    with shown.file.open("rb") as made:
        assert b"Phone of Alice" not in made.read()


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%!PS-Adobe\n", b"<html><script>alert(1)</script>"],
)
def test_what_is_no_picture_is_refused_whatever_its_name(alice: Member, content: bytes) -> None:
    with pytest.raises(NotAPicture):
        upload(alice, BytesIO(content))
    assert not File.objects.exists()


def test_a_picture_cut_short_is_refused(alice: Member, picture: Picture) -> None:
    whole = picture(width=800, height=800, noise=True).getvalue()
    with pytest.raises(NotAPicture, match="damaged"):
        upload(alice, BytesIO(whole[: len(whole) // 2]))


def test_forty_megapixels_are_taken(alice: Member, picture: Picture) -> None:
    file = upload(alice, picture(width=8000, height=5000))
    assert (file.width, file.height) == (8000, 5000)


def test_a_bomb_of_pixels_is_refused_before_it_is_read(alice: Member) -> None:
    bomb = BytesIO()
    Image.new("1", (20_000, 10_000)).save(bomb, "PNG")
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(TooBig, match="100 million"):
        upload(alice, bomb)


def test_a_file_too_large_is_refused(alice: Member, monkeypatch: pytest.MonkeyPatch, picture: Picture) -> None:
    monkeypatch.setattr(pictures, "MOST_BYTES", 100)
    with pytest.raises(TooBig):
        upload(alice, picture())


def test_the_same_bytes_are_one_file_and_a_removed_one_comes_back(alice: Member, picture: Picture) -> None:
    first = upload(alice, picture())
    services.remove(files=[first], by=alice)
    again = upload(alice, picture(), "another-name.jpg")
    assert (again.pk, again.removed_at) == (first.pk, None)


def test_two_workspaces_do_not_share_files(alice: Member, charlie: Member, picture: Picture) -> None:
    ours, theirs = upload(alice, picture()), upload(charlie, picture())
    assert ours.pk != theirs.pk


def test_a_full_disk_is_said_in_a_sentence_and_nothing_is_kept(
    alice: Member, picture: Picture, full_disk: Callable[..., None]
) -> None:
    full_disk()
    with pytest.raises(DiskFull, match="no room"):
        upload(alice, picture())
    assert not File.objects.exists()


def test_a_guest_uploads_nothing(seat: Callable[..., Member], picture: Picture) -> None:
    guest = seat("Gaël", "guest")
    with pytest.raises(NotAllowed):
        upload(guest, picture())


def test_nobody_uploads_into_another_workspace(alice: Member, charlie: Member, picture: Picture) -> None:
    with pytest.raises(NotAllowed):
        services.upload(workspace=charlie.workspace, name="x.jpg", source=picture(), by=alice)
