"""Documents, sounds and subtitles: what is taken, what is refused with a sentence, and how they are given out."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from regie.media import captions, documents, links, services
from regie.media.errors import CannotFit, NotADocument, NotAPicture, NotASound, NotCaptions, TooBig, Unreadable
from regie.media.models import File
from regie.people.models import Member

Make = Callable[..., BytesIO]
Keep = Callable[..., File]
SRT = (
    b"1\r\n00:00:01,000 --> 00:00:02,500\r\nBonjour\r\n\xc3\xa0 vous\r\n\r\n"
    b"2\r\n00:00:03,000 --> 00:00:04,000\r\nSalut\r\n"
)


@pytest.fixture
def keep(alice: Member) -> Keep:
    def keep(source: BytesIO | bytes, name: str) -> File:
        content = BytesIO(source) if isinstance(source, bytes) else source
        return services.upload(workspace=alice.workspace, name=name, source=content, by=alice)

    return keep


def archive(**parts: str) -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as zipped:
        for name, content in parts.items():
            zipped.writestr(name, content)
    return made.getvalue()


SLIDES = {"[Content_Types].xml": "<a/>", "ppt/presentation.xml": "<p/>", "ppt/slides/slide1.xml": "<s/>"}
WORDS = {"[Content_Types].xml": "<a/>", "word/document.xml": "<w/>"}
CORE = {"docProps/core.xml": "<c><dc:title>Rouge &amp; bleu</dc:title></c>"}


# Documents


def test_a_pdf_is_kept_with_its_pages_and_its_title(keep: Keep, paper: Make) -> None:
    file = keep(paper(pages=4, title="Programme  2026"), "scan.jpg")
    assert (file.kind, file.content_type, file.pages, file.title) == (
        "document",
        "application/pdf",
        4,
        "Programme 2026",
    )
    assert (file.width, file.height, bool(file.thumbnail)) == (0, 0, False)


def test_a_pdf_without_a_title_is_called_like_its_file(keep: Keep, paper: Make) -> None:
    assert keep(paper(), "Été 2026.pdf").title == "Été 2026"


def test_a_presentation_and_a_letter_are_documents(keep: Keep) -> None:
    slides = keep(archive(**SLIDES, **CORE), "a.zip")
    assert (slides.content_type, slides.pages, slides.title) == (documents.PPTX, 1, "Rouge & bleu")
    letter = keep(archive(**WORDS), "letter.docx")
    assert (letter.content_type, letter.pages, letter.title) == (documents.DOCX, None, "letter")
    assert str(letter.file.name).endswith(".docx")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7\nnothing more", "damaged or was cut short"),
        (b"%PDF-1.7\nno objects\n%%EOF", "damaged or was cut short"),
        (archive(**WORDS, **{"word/vbaProject.bin": "x"}), "macros"),
        (archive(**{"virus.exe": "MZ"}), "no document that we know"),
        (archive(**SLIDES)[:120], "damaged or was cut short"),
    ],
    ids=["beginning", "no objects", "macros", "archive", "half"],  # an archive holds the hour
)
def test_what_is_no_document_is_refused_and_nothing_is_kept(keep: Keep, content: bytes, said: str) -> None:
    with pytest.raises(NotADocument, match=said):
        keep(content, "report.pdf")
    assert not File.objects.exists()


def test_a_pdf_cut_short_is_refused(keep: Keep, paper: Make) -> None:
    whole = paper(pages=30).getvalue()
    with pytest.raises(NotADocument, match="cut short"):
        keep(whole[: len(whole) // 2], "report.pdf")


def test_a_pdf_with_a_password_is_refused(keep: Keep, paper: Make) -> None:
    with pytest.raises(NotADocument, match="asks for a password"):
        keep(paper(password="secret"), "report.pdf")


def test_a_document_too_large_is_refused_before_it_is_opened(
    keep: Keep, paper: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MOST_BYTES", 100)
    with pytest.raises(TooBig, match="100 MB"):
        keep(paper(), "report.pdf")


# Sounds


@pytest.mark.parametrize(
    ("kind", "content_type", "codec"),
    [
        ("mp3", "audio/mpeg", "mp3"),
        ("m4a", "audio/mp4", "aac"),
        ("ogg", "audio/ogg", "opus"),
        ("wav", "audio/wav", "pcm_s16le"),
    ],
)
def test_a_sound_is_what_its_bytes_say(keep: Keep, sound: Make, kind: str, content_type: str, codec: str) -> None:
    file = keep(sound(kind=kind, seconds=3, title="Épisode 1"), "holiday.mp4")
    assert (file.kind, file.content_type, file.audio_codec, file.title) == ("sound", content_type, codec, "Épisode 1")
    assert file.seconds == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(
    "content",
    [
        b"ID3" + bytes(5000),
        b"RIFF\0\0\0\0WAVEfmt " + bytes(500),
        b"OggS" + bytes(500),
        b"\0\0\0\x18ftypM4A " + bytes(500),
    ],
)
def test_bytes_that_only_begin_like_a_sound_are_refused(keep: Keep, content: bytes) -> None:
    with pytest.raises(NotASound, match="damaged or was cut short"):
        keep(content, "song.mp3")
    assert not File.objects.exists()


def test_a_program_called_mp3_is_refused(keep: Keep) -> None:
    with pytest.raises(NotAPicture):
        keep(b"MZ this is a program", "song.mp3")


def test_the_database_knows_that_a_sound_lasts(keep: Keep, sound: Make) -> None:
    file = keep(sound(), "song.mp3")
    file.seconds = None
    with pytest.raises(IntegrityError, match="file_sound_lasts"), transaction.atomic():
        file.save()


# Subtitles


def test_subtitles_are_kept_with_the_language_of_their_name(keep: Keep) -> None:
    file = keep(SRT, "film.fr.srt")
    assert (file.kind, file.content_type, file.language) == ("captions", captions.SRT, "fr")


def test_subtitles_become_those_that_a_network_takes(keep: Keep) -> None:
    file = keep(SRT, "film.srt")
    as_it_is = services.captions_for(file, (captions.VTT, captions.SRT))
    assert as_it_is.file.name == file.file.name
    made = services.captions_for(file, (captions.VTT,))
    with made.file.open("rb") as written:
        content = written.read()
    assert captions.look(content, captions.VTT).cues == captions.look(SRT, captions.SRT).cues
    assert content.startswith(b"WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.500\nBonjour\n\xc3\xa0 vous\n")
    assert services.captions_for(file, (captions.VTT,)) == made
    with pytest.raises(CannotFit, match="no type of subtitles"):
        services.captions_for(file, ("application/ttml+xml",))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"WEBVTT\n\nnothing", "not one subtitle"),
        (b"WEBVTT\n\n00:02.000 --> 00:01.000\nHow?\n", "ends before it begins"),
        ("1\n00:00:01,000 --> 00:00:02,000\nDéjà\n".encode("latin-1"), "not written in UTF-8"),
    ],
)
def test_subtitles_that_nobody_could_show_are_refused(keep: Keep, content: bytes, said: str) -> None:
    with pytest.raises(NotCaptions, match=said):
        keep(content, "film.srt")


def test_a_text_that_only_speaks_of_arrows_is_no_subtitles(keep: Keep) -> None:
    with pytest.raises((Unreadable, NotAPicture)):
        keep(b"a --> b", "notes.srt")


# Pages


@pytest.fixture
def browser(alice: Member, signed_in: Callable[[Member], Client]) -> Client:
    return signed_in(alice)


def test_the_library_shows_their_sign_their_pages_and_how_long_they_last(
    browser: Client, keep: Keep, paper: Make, sound: Make
) -> None:
    keep(paper(pages=4), "report.pdf")
    keep(sound(seconds=3), "song.mp3")
    keep(SRT, "film.fr.srt")
    page = browser.get("/w/atelier-nord/media/").content.decode()
    for word in ("<b>PDF</b>", "4 pages", "<b>MP3</b>", "0:03", "<b>SRT</b>"):
        assert word in page
    assert "No alternative text" not in page
    narrowed = browser.get("/w/atelier-nord/media/?kind=sound").content.decode()
    assert "song.mp3" in narrowed
    assert "report.pdf" not in narrowed


def test_a_document_has_a_page_where_its_title_is_changed(browser: Client, keep: Keep, paper: Make) -> None:
    file = keep(paper(), "report.pdf")
    address = f"/w/atelier-nord/media/{file.pk}/"
    assert "not opened here" in browser.get(address).content.decode()
    assert browser.post(address, {"name": "report.pdf", "title": "Our  year"}).status_code == 302
    file.refresh_from_db()
    assert file.title == "Our year"


def test_subtitles_have_a_page_that_shows_how_they_begin(browser: Client, keep: Keep) -> None:
    file = keep(SRT, "film.srt")
    address = f"/w/atelier-nord/media/{file.pk}/"
    assert "Bonjour<br>à vous" in browser.get(address).content.decode()
    assert browser.post(address, {"name": "film.srt", "language": "fr"}).status_code == 302
    assert browser.post(address, {"name": "film.srt", "language": "<b>"}).status_code == 200
    file.refresh_from_db()
    assert file.language == "fr"


def test_a_sound_can_be_played(browser: Client, keep: Keep, sound: Make) -> None:
    file = keep(sound(), "song.mp3")
    assert "<audio" in browser.get(f"/w/atelier-nord/media/{file.pk}/").content.decode()
    answer = browser.get(f"/w/atelier-nord/media/{file.pk}/{file.sha256}/played/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "audio/mpeg")
    assert len(answer.getvalue()) == file.size


@pytest.mark.parametrize("page", ["played", "shown", "thumbnail"])
def test_a_document_is_never_shown_in_a_page(browser: Client, keep: Keep, paper: Make, page: str) -> None:
    file = keep(paper(), "report.pdf")
    assert browser.get(f"/w/atelier-nord/media/{file.pk}/{file.sha256}/{page}/").status_code == 404


def test_a_document_is_only_downloaded_and_nothing_in_it_runs(browser: Client, keep: Keep, paper: Make) -> None:
    file = keep(paper(), "report.pdf")
    for answer in (
        browser.get(f"/w/atelier-nord/media/{file.pk}/{file.sha256}/original/"),
        Client().get(links.public_url(file, lasts=timedelta(hours=1)).removeprefix("http://testserver")),
    ):
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert answer.getvalue().startswith(b"%PDF-")
