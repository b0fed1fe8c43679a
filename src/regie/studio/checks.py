"""Whether a post can go out on an account, and what would make it better: the one place that knows.

The composer asks while a person types, ``publishing.schedule`` asks before it promises, the API and the tests ask too.
Everything is read from the declared capabilities; no network is named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.media import links, making, pictures
from regie.media.models import File
from regie.media.services import SUFFIX
from regie.media.videos import OutOfReach
from regie.networks import registry, text
from regie.networks.capabilities import (
    Capabilities,
    DocumentLimit,
    Format,
    ImageLimit,
    PollLimit,
    TextLimit,
    VideoLimit,
)
from regie.studio import options
from regie.studio.content import Content, MediaUse, Part, Poll
from regie.studio.models import Variant

Files = Mapping[int, File]


class Level(StrEnum):
    STOP = "stop"  # it cannot go out like this
    ADVICE = "advice"  # it can, and this would make it better or is good to know


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a variant. ``part`` is the part of the thread it is about, None for the whole."""

    level: Level
    said: str
    part: int | None = None


@dataclass(frozen=True, slots=True)
class Counter:
    """How much of a part's text is used, in the network's own units; ``left`` below zero is too much."""

    part: int
    used: int
    longest: int

    @property
    def left(self) -> int:
        return self.longest - self.used


def why_not(variant: Variant) -> list[str]:
    """Sentences, each a reason why the variant cannot go out as it is; empty when it can."""
    content = variant.document
    found = look_at(content, variant.account, files_of(content, variant.post.workspace_id), by_hand=variant.by_hand)
    return [finding.said for finding in found if finding.level is Level.STOP]


def files_of(content: Content, workspace_id: int) -> dict[int, File]:
    """The files a content uses, by number; what is another workspace's or is not there is left out."""
    return File.objects.filter(workspace=workspace_id).in_bulk(content.file_ids) if content.file_ids else {}


def look_at(content: Content, account: Account, files: Files, *, by_hand: bool = False) -> list[Finding]:
    """Everything there is to say about ``content`` on ``account``, stops first.

    By hand, a person publishes in the network's own app, which may allow more than we declare: only what nobody could
    publish stops it, the rest is advice.
    """
    can = capabilities_of(account)
    name = registry.connector(account.network).name
    found = [*_emptiness(content, account, can), *_about_files(content, files)]
    limits = [
        *_about_parts(content, can, name),
        *_about_texts(content, can, files),
        *_about_format(content, can, files, name),
        *_about_media(content, can, files, name),
        *_about_poll(content, can, name),
        *_about_audience(content, can, name),
        *_about_first_comment(content, can, name),
        *(_stop(said, part) for said, part in options.objections(content, can, account, files)),
    ]
    if by_hand:
        limits = [replace(finding, level=Level.ADVICE) for finding in limits]
    else:
        found = [*_about_account(account), *found]
    return sorted([*found, *limits], key=lambda finding: finding.level is not Level.STOP)


def as_sent(content: Content, can: Capabilities) -> Content:
    """The content with what has no meaning on the network taken off: its language, and "everybody" as visibility.

    Anything else that a network lacks stays, and is refused by ``look_at``: nothing asked for is dropped in silence.
    """
    everybody = content.visibility in ("", "public") and not can.visibility
    return content.model_copy(
        update={
            "language": content.language if can.languages else "",
            "visibility": "" if everybody else content.visibility,
        }
    )


def counters(content: Content, can: Capabilities, files: Files) -> list[Counter]:
    """One for each part, with the limit that holds for it: a caption's where it has pictures, or a video."""
    return [_counter(number, part, can.text, files) for number, part in enumerate(content.parts)]


def _counter(number: int, part: Part, limit: TextLimit, files: Files) -> Counter:
    longest = text.longest_of(limit, **_beside(part, files))
    return Counter(number, text.length(part.text.strip(), limit.counting), longest)


def _beside(part: Part, files: Files) -> dict[str, bool]:
    """What a text is a caption of."""
    moves = any(use.as_video or (use.file in files and files[use.file].is_video) for use in part.media)
    return {"with_media": bool(part.media), "with_video": moves}


def _stop(said: str, part: int | None = None) -> Finding:
    return Finding(Level.STOP, said, part)


def _advice(said: str, part: int | None = None) -> Finding:
    return Finding(Level.ADVICE, said, part)


def _about_account(account: Account) -> list[Finding]:
    sentences = {
        Account.State.PAUSED: _("This account is paused: resume it, or take it off the post."),
        Account.State.BROKEN: _("This account needs to be connected again before anything can go out on it."),
        Account.State.REMOVED: _("This account was removed: take it off the post."),
    }
    said = sentences.get(Account.State(account.state))
    return [_stop(said)] if said else []


def _emptiness(content: Content, account: Account, can: Capabilities) -> list[Finding]:
    """A title or a link may be all that a post says."""
    if not content.has_parts and not options.says_something(content, account, can):
        return [_stop(_("There is nothing to publish yet: write something, or add a picture or a video."))]
    return [
        _stop(_("Part {number} is empty: fill it or take it out.").format(number=number + 1), number)
        for number, part in enumerate(content.parts)
        if len(content.parts) > 1 and not part.text.strip() and not part.media and not (number == 0 and content.poll)
    ]


def _about_files(content: Content, files: Files) -> list[Finding]:
    return [
        _stop(_("A file is no longer there: take it out or choose another."), number)
        for number, part in enumerate(content.parts)
        if any(number not in files for use in part.media for number in use.file_ids)
    ]


def _about_parts(content: Content, can: Capabilities, name: str) -> list[Finding]:
    parts = len(content.parts)
    if parts <= can.thread:
        return []
    if can.thread == 1:
        return [_stop(_("{network} has no threads: keep one part.").format(network=name))]
    return [
        _stop(
            _("{network} takes threads of at most {most} parts; this one has {parts}.").format(
                network=name, most=can.thread, parts=parts
            )
        )
    ]


def _about_texts(content: Content, can: Capabilities, files: Files) -> list[Finding]:
    found = []
    for number, part in enumerate(content.parts):
        words = part.text.strip()
        if over := text.too_long_by(words, can.text, **_beside(part, files)):
            found.append(_stop(_too_long(over, number, len(content.parts)), number))
        if not words and can.text_required and not (number == 0 and content.poll):
            found.append(_stop(_("A text is needed beside the pictures or videos here."), number))
    return found


def _too_long(over: int, number: int, parts: int) -> str:
    if parts > 1:
        return ngettext(
            "Part {number} is {over} character too long.", "Part {number} is {over} characters too long.", over
        ).format(number=number + 1, over=over)
    return ngettext("The text is {over} character too long.", "The text is {over} characters too long.", over).format(
        over=over
    )


def _about_format(content: Content, can: Capabilities, files: Files, name: str) -> list[Finding]:
    """Whether the network has the format, and whether what is there makes one."""
    if content.format not in can.formats:
        said = {
            Format.SHORT: _("{network} has no short videos: choose an ordinary post for this account."),
            Format.STORY: _("{network} has no stories: choose an ordinary post for this account."),
        }[content.format]
        return [_stop(said.format(network=name))]
    if content.format is Format.POST:
        if can.media_required and not content.parts[0].media:
            return [_stop(_("{network} needs a picture or a video.").format(network=name), 0)]
        return []
    found = []
    if len(content.parts) > 1 or content.poll is not None:
        found.append(_stop(_("A short video or a story stands alone: take the other parts and the poll out.")))
    kinds = [files[use.file].kind for use in content.parts[0].media if use.file in files]
    if content.format is Format.SHORT and kinds != [File.Kind.VIDEO]:
        found.append(_stop(_("A short video is one video, and nothing else."), 0))
    if content.format is Format.STORY and len(kinds) != 1:
        found.append(_stop(_("A story is one picture or one video."), 0))
    if content.format is Format.STORY and content.text.strip():
        found.append(_advice(_("{network} shows no text with a story.").format(network=name), 0))
    return found


def _about_media(content: Content, can: Capabilities, files: Files, name: str) -> list[Finding]:
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
            found.append(_stop(_("On {network} pictures and a video cannot go together.").format(network=name), number))
    if can.fetches_media and content.file_ids and not links.reachable():
        found.append(
            _advice(
                _(
                    "{network} fetches files from this installation, which it can only reach at a public https address."
                ).format(network=name)
            )
        )
    return found


Uses = list[tuple[MediaUse, File]]


def _alt(use: MediaUse, file: File) -> str:
    return (use.alt if use.alt is not None else file.alt).strip()


def _about_pictures(shots: Uses, limits: ImageLimit | None, name: str, number: int) -> list[Finding]:
    if not shots:
        return []
    if limits is None:
        return [_stop(_("{network} takes no pictures here.").format(network=name), number)]
    found: list[Finding] = []
    if len(shots) > limits.most:
        found.append(_stop(_too_many(len(shots), limits.most, name), number))
    for use, file in shots:
        found += _about_picture(file, limits, name, number)
        found += _about_alt(file, _alt(use, file), limits.longest_alt, number)
    return found


def _about_videos(films: Uses, limits: VideoLimit | None, name: str, number: int) -> list[Finding]:
    if not films:
        return []
    if limits is None:
        return [_stop(_("{network} takes no videos here.").format(network=name), number)]
    found: list[Finding] = []
    if len(films) > limits.most:
        said = ngettext(
            "{network} takes {most} video in a post; there are {there}.",
            "{network} takes {most} videos in a post; there are {there}.",
            limits.most,
        )
        found.append(_stop(said.format(network=name, most=limits.most, there=len(films)), number))
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
        return [_stop(making.why(exc, file=str(file), seconds=file.seconds, network=name), number)]
    found = []
    if plan.seconds < file.seconds - 0.05:
        said = _("“{file}” ends after {time} on {network}, as you allowed.")
        found.append(_advice(said.format(file=file, time=making.span(plan.seconds), network=name), number))
    if not plan.crop.is_all:
        said = _("“{file}” is cut to the shape that {network} takes, around its point that matters.")
        found.append(_advice(said.format(file=file, network=name), number))
    elif plan.do == "encode":
        found.append(
            _advice(_("“{file}” will be made to fit what {network} takes.").format(file=file, network=name), number)
        )
    return found


def _about_documents(papers: list[File], limits: DocumentLimit | None, name: str, number: int) -> list[Finding]:
    if not papers:
        return []
    if limits is None:
        return [_stop(_("{network} takes no documents here.").format(network=name), number)]
    found: list[Finding] = []
    if len(papers) > limits.most:
        said = ngettext(
            "{network} takes {most} document in a post; there are {there}.",
            "{network} takes {most} documents in a post; there are {there}.",
            limits.most,
        )
        found.append(_stop(said.format(network=name, most=limits.most, there=len(papers)), number))
    for file in papers:
        found += _about_type_and_size(file, limits.types, limits.largest_bytes, name, number)
        if limits.most_pages is not None and (file.pages or 0) > limits.most_pages:
            said = _("“{file}” has {there} pages; {network} takes {most} at most.")
            found.append(_stop(said.format(file=file, there=file.pages, network=name, most=limits.most_pages), number))
    return found


def _about_sounds(
    heard: Uses, can: Capabilities, film: VideoLimit | None, files: Files, name: str, number: int
) -> list[Finding]:
    """Of sounds as they are; or of the videos that are made of them where the network takes no sounds."""
    limits = can.sounds
    if not heard:
        return []
    if limits is None and film is None:
        return [_stop(_("{network} takes no sounds here.").format(network=name), number)]
    if limits is None:
        return [finding for use, file in heard for finding in _about_show(use, file, film, files, name, number)]
    found: list[Finding] = []
    if len(heard) > limits.most:
        said = ngettext(
            "{network} takes {most} sound in a post; there are {there}.",
            "{network} takes {most} sounds in a post; there are {there}.",
            limits.most,
        )
        found.append(_stop(said.format(network=name, most=limits.most, there=len(heard)), number))
    for _use, file in heard:
        found += _about_type_and_size(file, limits.types, limits.largest_bytes, name, number)
        if limits.longest is not None and (file.seconds or 0) > limits.longest.total_seconds():
            facts = {"there": making.span(file.seconds or 0), "bound": making.span(limits.longest.total_seconds())}
            said = _("“{file}” lasts {there}; {network} takes {bound} at most.")
            found.append(_stop(said.format(file=file, network=name, **facts), number))
    return found


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
        return [_stop(said.format(network=name, file=file), number)]
    cover = files.get(use.cover or 0)
    if cover is None or not cover.is_picture:
        said = _("Choose a picture as cover for “{file}”: {network} gets a video of both.")
        return [_stop(said.format(file=file, network=name), number)]
    try:
        making.plan_to_show(file, cover, limits, cut=use.cut)
    except OutOfReach as exc:
        return [_stop(making.why(exc, file=str(file), seconds=file.seconds, network=name), number)]
    said = _("“{file}” goes out on {network} as a video of its cover and its sound.")
    return [_advice(said.format(file=file, network=name), number)]


def _about_type_and_size(file: File, types: tuple[str, ...], largest: int, name: str, number: int) -> list[Finding]:
    found = []
    if file.content_type not in types:
        endings = ", ".join(SUFFIX[kind].upper() for kind in types if kind in SUFFIX)
        said = _("{network} does not take “{file}” as it is: save it as {types}.")
        found.append(_stop(said.format(network=name, file=file, types=endings), number))
    if file.size > largest:
        said = _("“{file}” is larger than {network} takes: {most} at most.")
        found.append(_stop(said.format(file=file, network=name, most=filesizeformat(largest)), number))
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
        return [_stop(_("“{file}” cannot be a cover: choose a picture.").format(file=cover), number)]
    if limits is None:
        said = _("{network} shows a moment of the video, not the cover you chose.")
        return [_advice(said.format(network=name), number)]
    return _about_picture(cover, limits, name, number)


def _about_captions(use: MediaUse, words: File, limits: VideoLimit, name: str, number: int) -> list[Finding]:
    if not words.is_captions:
        return [_stop(_("“{file}” is no file of subtitles: choose SRT or VTT.").format(file=words), number)]
    if not limits.captions:
        said = _("{network} takes no subtitles: the video goes out without “{file}”.")
        return [_advice(said.format(network=name, file=words), number)]
    if not (use.language or words.language):
        return [_stop(_("Say in which language the subtitles “{file}” are.").format(file=words), number)]
    return []


def _about_company(there: list[File], number: int) -> list[Finding]:
    """Subtitles belong to a video; documents and sounds stand apart from other kinds, on every network."""
    said = _("Subtitles go with a video: take “{file}” out and choose it under the video.")
    found = [_stop(said.format(file=file), number) for file in there if file.is_captions]
    kinds = {file.kind for file in there} - {File.Kind.CAPTIONS}
    if len(kinds) > 1 and kinds & {File.Kind.DOCUMENT, File.Kind.SOUND}:
        found.append(_stop(_("A document or a sound cannot stand beside other files: take the others out."), number))
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
        return [_stop(said.format(file=file, network=name), number)]
    if pictures.is_cut(file.width, file.height, limits):
        said = _("“{file}” is cut to the shape that {network} takes, around its point that matters.")
        return [_advice(said.format(file=file, network=name), number)]
    if pictures.needs_making(file.content_type, file.size, file.width, file.height, limits):
        said = _("“{file}” will be made to fit what {network} takes.")
        return [_advice(said.format(file=file, network=name), number)]
    return []


def _about_alt(file: File, alt: str, longest: int | None, number: int) -> list[Finding]:
    """Nothing where the network has no alternative text."""
    if longest is None:
        return []
    if not alt:
        return [_advice(_("“{file}” has no alternative text: say what it shows.").format(file=file), number)]
    if (over := text.graphemes(alt) - longest) <= 0:
        return []
    said = ngettext(
        "The alternative text of “{file}” is {over} character too long.",
        "The alternative text of “{file}” is {over} characters too long.",
        over,
    )
    return [_stop(said.format(file=file, over=over), number)]


def _about_poll(content: Content, can: Capabilities, name: str) -> list[Finding]:
    poll = content.poll
    if poll is None:
        return []
    if can.poll is None:
        return [_stop(_("{network} has no polls: take it out for this account.").format(network=name))]
    found = _about_options_of(poll, can.poll, name) + _about_duration(poll, can.poll, name)
    if content.parts[0].media and not can.poll_with_media:
        found.append(_stop(_("On {network} a poll and pictures or videos cannot go together.").format(network=name), 0))
    question = poll.question.strip() or content.text.strip()
    if not question:
        found.append(_stop(_("The poll has no question: write it in the text."), 0))
    elif can.poll.longest_question is not None and (over := text.graphemes(question) - can.poll.longest_question) > 0:
        found.append(
            _stop(
                ngettext(
                    "The poll's question is {over} character too long.",
                    "The poll's question is {over} characters too long.",
                    over,
                ).format(over=over),
                0,
            )
        )
    if poll.multiple and not can.poll.multiple:
        found.append(_stop(_("On {network} a poll has one answer only.").format(network=name)))
    if poll.hide_totals and not can.poll.hide_totals:
        found.append(_stop(_("{network} cannot hide a poll's results until it ends.").format(network=name)))
    return found + _about_quiz(poll, can.poll, name)


def _about_quiz(poll: Poll, limit: PollLimit, name: str) -> list[Finding]:
    if poll.correct is None:
        return []
    if not limit.quiz:
        return [_stop(_("{network} has no quizzes: choose no right answer for this account.").format(network=name))]
    found = []
    if poll.correct >= len(poll.options):
        found.append(_stop(_("The right answer of the quiz is none of its answers: choose one.")))
    if poll.multiple:
        found.append(_stop(_("A quiz has one right answer: people cannot choose several.")))
    words = poll.explanation.strip()
    if words and limit.longest_explanation is None:
        found.append(_stop(_("{network} shows no explanation with a quiz: take it out.").format(network=name)))
    elif words and limit.longest_explanation and (over := text.graphemes(words) - limit.longest_explanation) > 0:
        found.append(
            _stop(
                ngettext(
                    "The explanation of the quiz is {over} character too long.",
                    "The explanation of the quiz is {over} characters too long.",
                    over,
                ).format(over=over)
            )
        )
    return found


def _about_options_of(poll: Poll, limit: PollLimit, name: str) -> list[Finding]:
    options = [option.strip() for option in poll.options]
    found = []
    if len([option for option in options if option]) < max(limit.fewest_options, len(options)):
        found.append(_stop(_("An answer of the poll is empty: fill it or take it out.")))
    if len(options) > limit.most_options:
        found.append(
            _stop(
                _("A poll on {network} has at most {most} answers; there are {there}.").format(
                    network=name, most=limit.most_options, there=len(options)
                )
            )
        )
    if len(set(options)) < len(options):
        found.append(_stop(_("Two answers of the poll are the same.")))
    found.extend(
        _stop(
            ngettext(
                "The answer “{option}” is {over} character too long.",
                "The answer “{option}” is {over} characters too long.",
                over,
            ).format(option=option, over=over)
        )
        for option in options
        if (over := text.graphemes(option) - limit.longest_option) > 0
    )
    return found


def _about_duration(poll: Poll, limit: PollLimit, name: str) -> list[Finding]:
    if limit.shortest is not None and poll.lasts < limit.shortest:
        return [
            _stop(
                _("On {network} a poll stays open for at least {time}.").format(network=name, time=span(limit.shortest))
            )
        ]
    if limit.longest is not None and poll.lasts > limit.longest:
        return [
            _stop(
                _("On {network} a poll stays open for at most {time}.").format(network=name, time=span(limit.longest))
            )
        ]
    return []


def span(time: timedelta) -> str:
    """A duration in words, in the largest unit that keeps it whole."""
    seconds = int(time.total_seconds())
    if seconds >= 86_400:
        return ngettext("{n} day", "{n} days", seconds // 86_400).format(n=seconds // 86_400)
    if seconds >= 3600:
        return ngettext("{n} hour", "{n} hours", seconds // 3600).format(n=seconds // 3600)
    if seconds >= 60:
        return ngettext("{n} minute", "{n} minutes", seconds // 60).format(n=seconds // 60)
    return ngettext("{n} second", "{n} seconds", seconds).format(n=seconds)


def _about_audience(content: Content, can: Capabilities, name: str) -> list[Finding]:
    found = []
    warning = content.content_warning.strip()
    if warning and can.content_warning is None:
        found.append(_stop(_("{network} has no content warnings: take it out for this account.").format(network=name)))
    elif warning and can.content_warning is not None and (over := text.too_long_by(warning, can.content_warning)):
        found.append(
            _stop(
                ngettext(
                    "The content warning is {over} character too long.",
                    "The content warning is {over} characters too long.",
                    over,
                ).format(over=over)
            )
        )
    if content.sensitive and not can.sensitive and any(part.media for part in content.parts):
        found.append(_stop(_("{network} cannot cover pictures as sensitive.").format(network=name)))
    sent = as_sent(content, can)
    if sent.visibility and sent.visibility not in can.visibility:
        found.append(_stop(_("{network} does not have the visibility you chose.").format(network=name)))
    return found


def _about_first_comment(content: Content, can: Capabilities, name: str) -> list[Finding]:
    words = content.first_comment.strip()
    if not words:
        return []
    if not can.first_comment or content.format is Format.STORY:
        said = _("{network} takes no first comment here: take it out for this account.")
        return [_stop(said.format(network=name))]
    if over := text.too_long_by(words, can.comment or can.text):
        return [
            _stop(
                ngettext(
                    "The first comment is {over} character too long.",
                    "The first comment is {over} characters too long.",
                    over,
                ).format(over=over)
            )
        ]
    return []
