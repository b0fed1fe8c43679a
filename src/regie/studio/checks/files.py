"""Whether the files fit: pictures, videos, documents, sounds, and what goes with them."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from regie.accounts.models import Account
from regie.config.first_start import is_loopback
from regie.media import links, making, pictures
from regie.media.models import File
from regie.media.services import SUFFIX
from regie.media.videos import OutOfReach
from regie.networks import text
from regie.networks.capabilities import Capabilities, DocumentLimit, ImageLimit, SoundLimit, VideoLimit
from regie.studio.checks.findings import Files, Finding, advice, stop
from regie.studio.content import Content, MediaUse

Uses = list[tuple[MediaUse, File]]


def about_files_there(content: Content, files: Files) -> list[Finding]:
    return [
        stop(_("A file is no longer there: take it out or choose another."), number)
        for number, part in enumerate(content.parts)
        if any(number not in files for use in part.media for number in use.file_ids)
    ]


def about_files(content: Content, can: Capabilities, files: Files, name: str) -> list[Finding]:
    found: list[Finding] = []
    if content.format not in can.formats:
        return found
    images, film = can.images_in(content.format), can.video_in(content.format)
    for number, part in enumerate(content.parts):
        there = [(use, files[use.file]) for use in part.media if use.file in files]
        shots = [(use, file) for use, file in there if file.is_picture]
        films = [(use, file) for use, file in there if file.is_video]
        found += _about_pictures(shots, images, name, number)
        found += _about_videos(films, film, name, number)
        found += _about_documents([file for _use, file in there if file.is_document], can.documents, name, number)
        found += _about_sounds([one for one in there if one[1].is_sound], can, film, files, name, number)
        found += _about_what_goes_with(films, film, files, name, number)
        found += _about_company([file for _use, file in there], number)
        if shots and films and not can.mixed_media:
            found.append(stop(_("On {network} pictures and a video cannot go together.").format(network=name), number))
    return found


def about_fetching(content: Content, account: Account, can: Capabilities, name: str) -> list[Finding]:
    """A network that fetches the files itself has to reach us. A stand-in for it on this machine does."""
    if not can.fetches_media or not content.file_ids or links.reachable():
        return []
    if _is_here(settings.PUBLIC_URL) and not _is_here(account.server):
        said = _(
            "{network} fetches files from this installation, and {address} leads nowhere from there. Whoever runs "
            "Régie has to give it a public https address (REGIE_URL)."
        )
        return [stop(said.format(network=name, address=settings.PUBLIC_URL))]
    said = _("{network} fetches files from this installation, which it can only reach at a public https address.")
    return [advice(said.format(network=name))]


def _is_here(address: str) -> bool:
    return is_loopback(urlsplit(address).hostname or "")


def _alt(use: MediaUse, file: File) -> str:
    return (use.alt if use.alt is not None else file.alt).strip()


def _about_pictures(shots: Uses, limits: ImageLimit | None, name: str, number: int) -> list[Finding]:
    if not shots:
        return []
    if limits is None:
        return [stop(_("{network} takes no pictures here.").format(network=name), number)]
    found: list[Finding] = []
    if len(shots) > limits.most:
        found.append(stop(_too_many(len(shots), limits.most, name), number))
    for use, file in shots:
        found += _about_picture(file, limits, name, number)
        found += _about_alt(file, _alt(use, file), limits.longest_alt, number)
    return found


def _about_videos(films: Uses, limits: VideoLimit | None, name: str, number: int) -> list[Finding]:
    if not films:
        return []
    if limits is None:
        return [stop(_("{network} takes no videos here.").format(network=name), number)]
    found: list[Finding] = []
    if len(films) > limits.most:
        said = ngettext(
            "{network} takes {most} video in a post; there are {there}.",
            "{network} takes {most} videos in a post; there are {there}.",
            limits.most,
        )
        found.append(stop(said.format(network=name, most=limits.most, there=len(films)), number))
    for use, file in films:
        found += _about_video(use, file, limits, name, number)
        found += _about_alt(file, _alt(use, file), limits.longest_alt, number)
    return found


def _about_video(use: MediaUse, file: File, limits: VideoLimit, name: str, number: int) -> list[Finding]:
    """The rule it breaks and what would satisfy it, or what is done to it so that the network takes it."""
    assert file.seconds is not None
    try:
        plan = making.plan_for(file, limits, cut=use.cut)
    except OutOfReach as exc:
        return [stop(making.why(exc, file=str(file), seconds=file.seconds, network=name), number)]
    found = []
    if plan.seconds < file.seconds - 0.05:
        said = _("“{file}” ends after {time} on {network}, as you allowed.")
        found.append(advice(said.format(file=file, time=making.span(plan.seconds), network=name), number))
    if not plan.crop.is_all:
        said = _("“{file}” is cut to the shape that {network} takes, around its point that matters.")
        found.append(advice(said.format(file=file, network=name), number))
    elif plan.do == "encode":
        found.append(
            advice(_("“{file}” will be made to fit what {network} takes.").format(file=file, network=name), number)
        )
    return found


def _about_documents(papers: list[File], limits: DocumentLimit | None, name: str, number: int) -> list[Finding]:
    if not papers:
        return []
    if limits is None:
        return [stop(_("{network} takes no documents here.").format(network=name), number)]
    found: list[Finding] = []
    if len(papers) > limits.most:
        said = ngettext(
            "{network} takes {most} document in a post; there are {there}.",
            "{network} takes {most} documents in a post; there are {there}.",
            limits.most,
        )
        found.append(stop(said.format(network=name, most=limits.most, there=len(papers)), number))
    for file in papers:
        found += _about_type_and_size(file, limits.types, limits.largest_bytes, name, number)
        if limits.most_pages is not None and (file.pages or 0) > limits.most_pages:
            said = _("“{file}” has {there} pages; {network} takes {most} at most.")
            found.append(stop(said.format(file=file, there=file.pages, network=name, most=limits.most_pages), number))
    return found


def _about_sounds(
    heard: Uses, can: Capabilities, film: VideoLimit | None, files: Files, name: str, number: int
) -> list[Finding]:
    """Of sounds as they are; or of the videos that are made of them where the network takes no sounds."""
    limits = can.sounds
    if not heard:
        return []
    if limits is None and film is None:
        return [stop(_("{network} takes no sounds here.").format(network=name), number)]
    if limits is None:
        return [finding for use, file in heard for finding in _about_show(use, file, film, files, name, number)]
    found: list[Finding] = []
    if len(heard) > limits.most:
        said = ngettext(
            "{network} takes {most} sound in a post; there are {there}.",
            "{network} takes {most} sounds in a post; there are {there}.",
            limits.most,
        )
        found.append(stop(said.format(network=name, most=limits.most, there=len(heard)), number))
    return found + [finding for _use, file in heard for finding in _about_sound(file, limits, name, number)]


def _about_sound(file: File, limits: SoundLimit, name: str, number: int) -> list[Finding]:
    try:
        plan = making.plan_of_sound(file, limits)
    except OutOfReach as exc:
        return [stop(making.why_no_sound(exc, file=file, network=name), number)]
    if plan.do == "keep":
        return []
    said = _("“{file}” is made into {type} for {network}, which does not take it as it is.")
    return [advice(said.format(file=file, type=SUFFIX[plan.content_type].upper(), network=name), number)]


def _about_show(
    use: MediaUse, file: File, limits: VideoLimit | None, files: Files, name: str, number: int
) -> list[Finding]:
    """A sound on a network that takes videos only: a video of it and its cover, when a person asked for that."""
    assert limits is not None
    assert file.seconds is not None
    if not use.as_video:
        said = _(
            "{network} takes no sounds, but videos: choose a cover for “{file}”, and let a video be made of both "
            "where a network takes no sounds."
        )
        return [stop(said.format(network=name, file=file), number)]
    cover = files.get(use.cover or 0)
    if cover is None or not cover.is_picture:
        said = _("Choose a picture as cover for “{file}”: {network} gets a video of both.")
        return [stop(said.format(file=file, network=name), number)]
    try:
        making.plan_to_show(file, cover, limits, cut=use.cut)
    except OutOfReach as exc:
        return [stop(making.why(exc, file=str(file), seconds=file.seconds, network=name), number)]
    said = _("“{file}” goes out on {network} as a video of its cover and its sound.")
    return [advice(said.format(file=file, network=name), number)]


def _about_type_and_size(file: File, types: tuple[str, ...], largest: int, name: str, number: int) -> list[Finding]:
    found = []
    if file.content_type not in types:
        endings = ", ".join(SUFFIX[kind].upper() for kind in types if kind in SUFFIX)
        said = _("{network} does not take “{file}” as it is: save it as {types}.")
        found.append(stop(said.format(network=name, file=file, types=endings), number))
    if file.size > largest:
        said = _("“{file}” is larger than {network} takes: {most} at most.")
        found.append(stop(said.format(file=file, network=name, most=filesizeformat(largest)), number))
    return found


def _about_what_goes_with(
    films: Uses, limits: VideoLimit | None, files: Files, name: str, number: int
) -> list[Finding]:
    """The covers and subtitles of videos."""
    if limits is None:
        return []
    found: list[Finding] = []
    for use, _file in films:
        if (cover := files.get(use.cover or 0)) is not None:
            found += _about_cover(cover, limits.cover, name, number)
        if (words := files.get(use.captions or 0)) is not None:
            found += _about_captions(use, words, limits, name, number)
    return found


def _about_cover(cover: File, limits: ImageLimit | None, name: str, number: int) -> list[Finding]:
    if not cover.is_picture:
        return [stop(_("“{file}” cannot be a cover: choose a picture.").format(file=cover), number)]
    if limits is None:
        said = _("{network} shows a moment of the video, not the cover you chose.")
        return [advice(said.format(network=name), number)]
    return _about_picture(cover, limits, name, number)


def _about_captions(use: MediaUse, words: File, limits: VideoLimit, name: str, number: int) -> list[Finding]:
    if not words.is_captions:
        return [stop(_("“{file}” is no file of subtitles: choose SRT or VTT.").format(file=words), number)]
    if not limits.captions:
        said = _("{network} takes no subtitles: the video goes out without “{file}”.")
        return [advice(said.format(network=name, file=words), number)]
    if not (use.language or words.language):
        return [stop(_("Say in which language the subtitles “{file}” are.").format(file=words), number)]
    return []


def _about_company(there: list[File], number: int) -> list[Finding]:
    """Subtitles belong to a video; documents and sounds stand apart from other kinds, on every network."""
    said = _("Subtitles go with a video: take “{file}” out and choose it under the video.")
    found = [stop(said.format(file=file), number) for file in there if file.is_captions]
    kinds = {file.kind for file in there} - {File.Kind.CAPTIONS}
    if len(kinds) > 1 and kinds & {File.Kind.DOCUMENT, File.Kind.SOUND}:
        found.append(stop(_("A document or a sound cannot stand beside other files: take the others out."), number))
    return found


def _too_many(there: int, most: int, name: str) -> str:
    return ngettext(
        "{network} takes {most} picture in a post; there are {there}.",
        "{network} takes {most} pictures in a post; there are {there}.",
        most,
    ).format(network=name, most=most, there=there)


def _about_picture(file: File, limits: ImageLimit, name: str, number: int) -> list[Finding]:
    if pictures.is_too_thin(file.width, file.height, limits):
        said = _("“{file}” is too long and thin for {network}: crop it.")
        return [stop(said.format(file=file, network=name), number)]
    if pictures.is_cut(file.width, file.height, limits):
        said = _("“{file}” is cut to the shape that {network} takes, around its point that matters.")
        return [advice(said.format(file=file, network=name), number)]
    if pictures.needs_making(file.content_type, file.size, file.width, file.height, limits):
        said = _("“{file}” will be made to fit what {network} takes.")
        return [advice(said.format(file=file, network=name), number)]
    return []


def _about_alt(file: File, alt: str, longest: int | None, number: int) -> list[Finding]:
    """Nothing where the network has no alternative text."""
    if longest is None:
        return []
    if not alt:
        return [advice(_("“{file}” has no alternative text: say what it shows.").format(file=file), number)]
    if (over := text.graphemes(alt) - longest) <= 0:
        return []
    said = ngettext(
        "The alternative text of “{file}” is {over} character too long.",
        "The alternative text of “{file}” is {over} characters too long.",
        over,
    )
    return [stop(said.format(file=file, over=over), number)]
