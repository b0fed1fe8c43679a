"""Whether a post can go out on an account, and what would make it better: the one place that knows.

The composer asks while a person types, ``publishing.schedule`` asks before it promises, the API and the tests ask too.
Everything is read from the declared capabilities; no network is named here.
"""

from __future__ import annotations

from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.media.models import File
from regie.networks import registry, text
from regie.networks.capabilities import Capabilities, Format
from regie.studio import options
from regie.studio.checks.files import about_fetching, about_files, about_files_there
from regie.studio.checks.findings import Files, Finding, Level, advice, stop
from regie.studio.checks.polls import about_poll, span
from regie.studio.checks.texts import Counter, about_first_comment, about_parts, about_texts, counters
from regie.studio.content import Content
from regie.studio.models import Variant

__all__ = ["Counter", "Files", "Finding", "Level", "as_sent", "counters", "files_of", "look_at", "span", "why_not"]


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
    found = [*_emptiness(content, account, can), *about_files_there(content, files)]
    limits = [
        *about_parts(content, can, name),
        *about_texts(content, can, files),
        *_about_format(content, can, files, name),
        *about_files(content, can, files, name),
        *about_fetching(content, account, can, name),
        *about_poll(content, can, name),
        *_about_audience(content, can, name),
        *about_first_comment(content, can, name),
        *(stop(said, part) for said, part in options.objections(content, can, account, files)),
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


def _about_account(account: Account) -> list[Finding]:
    sentences = {
        Account.State.PAUSED: _("This account is paused: resume it, or take it off the post."),
        Account.State.BROKEN: _("This account needs to be connected again before anything can go out on it."),
        Account.State.REMOVED: _("This account was removed: take it off the post."),
    }
    said = sentences.get(Account.State(account.state))
    return [stop(said)] if said else []


def _emptiness(content: Content, account: Account, can: Capabilities) -> list[Finding]:
    """A title or a link may be all that a post says."""
    if not content.has_parts and not options.says_something(content, account, can):
        return [stop(_("There is nothing to publish yet: write something, or add a picture or a video."))]
    return [
        stop(_("Part {number} is empty: fill it or take it out.").format(number=number + 1), number)
        for number, part in enumerate(content.parts)
        if len(content.parts) > 1 and not part.text.strip() and not part.media and not (number == 0 and content.poll)
    ]


def _about_format(content: Content, can: Capabilities, files: Files, name: str) -> list[Finding]:
    """Whether the network has the format, and whether what is there makes one."""
    if content.format not in can.formats:
        said = {
            Format.SHORT: _("{network} has no short videos: choose an ordinary post for this account."),
            Format.STORY: _("{network} has no stories: choose an ordinary post for this account."),
        }[content.format]
        return [stop(said.format(network=name))]
    if content.format is Format.POST:
        if can.media_required and not content.parts[0].media:
            return [stop(_("{network} needs a picture or a video.").format(network=name), 0)]
        return []
    found = []
    if len(content.parts) > 1 or content.poll is not None:
        found.append(stop(_("A short video or a story stands alone: take the other parts and the poll out.")))
    kinds = [files[use.file].kind for use in content.parts[0].media if use.file in files]
    if content.format is Format.SHORT and kinds != [File.Kind.VIDEO]:
        found.append(stop(_("A short video is one video, and nothing else."), 0))
    if content.format is Format.STORY and len(kinds) != 1:
        found.append(stop(_("A story is one picture or one video."), 0))
    if content.format is Format.STORY and content.text.strip():
        found.append(advice(_("{network} shows no text with a story.").format(network=name), 0))
    return found


def _about_audience(content: Content, can: Capabilities, name: str) -> list[Finding]:
    found = []
    warning = content.content_warning.strip()
    if warning and can.content_warning is None:
        found.append(stop(_("{network} has no content warnings: take it out for this account.").format(network=name)))
    elif warning and can.content_warning is not None and (over := text.too_long_by(warning, can.content_warning)):
        found.append(
            stop(
                ngettext(
                    "The content warning is {over} character too long.",
                    "The content warning is {over} characters too long.",
                    over,
                ).format(over=over)
            )
        )
    if content.sensitive and not can.sensitive and any(part.media for part in content.parts):
        found.append(stop(_("{network} cannot cover pictures as sensitive.").format(network=name)))
    sent = as_sent(content, can)
    if sent.visibility and sent.visibility not in can.visibility:
        found.append(stop(_("{network} does not have the visibility you chose.").format(network=name)))
    return found
