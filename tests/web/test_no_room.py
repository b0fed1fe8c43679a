"""A request whose body finds no place on the disk gets a sentence, and nothing is lost that was there before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.test import Client

from regie.people.models import Member

pytestmark = pytest.mark.django_db
FULL = Path("/dev/full")  # a disk on which there is never room


class OntoAFullDisk(FileUploadHandler):
    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        with FULL.open("wb", buffering=0) as disk:
            disk.write(raw_data)

    def file_complete(self, file_size: int) -> Any:
        return None


@pytest.mark.parametrize(
    ("how", "status"), [({}, 507), ({"Sec-Fetch-Mode": "cors"}, 422), ({"HX-Request": "true"}, 422)]
)
def test_an_upload_onto_a_full_disk_is_answered_with_what_to_do(
    how: dict[str, str], status: int, alice: Member, signed_in: Callable[[Member], Client], settings: Any
) -> None:
    browser = signed_in(alice)
    browser.raise_request_exception = False
    settings.FILE_UPLOAD_HANDLERS = [f"{__name__}.OntoAFullDisk"]
    file = SimpleUploadedFile("coat.jpg", b"x" * 5000)
    answer = browser.post("/w/atelier-nord/media/upload/", {"file": file}, headers=how)
    assert answer.status_code == status
    assert "no room left on the server" in answer.content.decode()
