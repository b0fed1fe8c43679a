"""The tables of the documentation, made from the code: ``write`` puts them in, ``check`` refuses what is out of date.

``docs/networks.md`` comes from what the connectors declare, the roles in ``docs/guide/*.md`` from
``people/permissions.py``. The role's words are those of the interface, in both languages.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polib
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
ROLES_BEGIN, ROLES_END = "<!-- roles: made by scripts/docs.py -->", "<!-- end of roles -->"

WHAT: dict[str, dict[str, str]] = {
    # verb: what it lets a person do, in the guides' words
    "view": {"en": "See posts, the calendar and receipts", "fr": "Voir les publications, le calendrier et les reçus"},
    "write": {"en": "Write posts, upload pictures", "fr": "Écrire des publications, envoyer des images"},
    "schedule": {"en": "Schedule, move, cancel", "fr": "Planifier, déplacer, annuler"},
    "publish": {
        "en": "Publish now, by hand, again; settle an unclear one",
        "fr": "Publier maintenant, à la main, à nouveau ; trancher un envoi incertain",
    },
    "freeze": {"en": "Freeze everything", "fr": "Tout geler"},
    "lift": {"en": "Lift the freeze", "fr": "Lever le gel"},
    "read_inbox": {"en": "Read the inbox", "fr": "Lire la boîte de réception"},
    "answer": {
        "en": "Answer, like, hide, delete, mark as done, assign",
        "fr": "Répondre, aimer, masquer, supprimer, marquer comme traité, attribuer",
    },
    "measure": {"en": "See the numbers", "fr": "Voir les chiffres"},
    "connect": {
        "en": "Connect, reconnect, pause and remove accounts",
        "fr": "Connecter, reconnecter, mettre en pause et retirer des comptes",
    },
    "manage_people": {"en": "Invite people, change roles", "fr": "Inviter des personnes, changer les rôles"},
    "manage_workspace": {
        "en": "Change the client's name and time zone, make owners",
        "fr": "Changer le nom et le fuseau du client, nommer des propriétaires",
    },
    "read_audit": {"en": "Read the audit trail", "fr": "Lire le journal d’audit"},
}
CORNER = {"en": "May", "fr": "Peut"}


def roles(language: str) -> str:
    """One line per verb, one column per role, as ``people/permissions.py`` says."""
    if not settings.configured:
        settings.configure(USE_I18N=False)
    from regie.people.permissions import MAY, Role

    if set(WHAT) != set(MAY):
        raise SystemExit(f"scripts/docs.py has no words for {set(MAY) ^ set(WHAT)}.")
    names = [_role(str(role.label), language) for role in Role]
    rows = [[WHAT[verb][language], *("✓" if role in who else "" for role in Role)] for verb, who in MAY.items()]
    return _table([CORNER[language], *names], rows)


def _role(label: str, language: str) -> str:
    if language == "en":
        return label
    found = polib.pofile(str(ROOT / f"src/regie/people/locale/{language}/LC_MESSAGES/django.po")).find(label)
    if found is None or not found.msgstr:
        raise SystemExit(f"The role {label!r} has no word in {language!r}.")
    return str(found.msgstr)


Line = tuple[str, Callable[[Any], str]]


def networks() -> str:
    """``docs/networks.md``: every capability that a person or an operator asks about, one column per network."""
    from regie.networks import registry

    kinds = [registry.connector(slug) for slug in registry.slugs()]
    rows = [[name, *(show(kind) for kind in kinds)] for name, show in LINES]
    return "\n".join(
        (
            "# Networks",
            "",
            "`make networks` writes this page from a run of the contract suite: *works* names a test that published,",
            "read or measured it on the network's sandbox; *not offered* a source: [both are below](#what-shows-it).",
            "`regie networks --json` says the same to programs.",
            "",
            _capabilities(kinds),
            "",
            "## What each takes",
            "",
            "From what the connectors declare; the composer, the checks and the API read the same declaration. Limits",
            "are those before a server was asked: a server that takes longer texts is believed.",
            "",
            _table(["", *(kind.name for kind in kinds)], rows),
            "",
            "## What shows it",
            "",
            *(_evidence(kind) for kind in kinds),
            "## Notes",
            "",
            "What each vendor's documentation says, where it was wrong, and what the network lacks:",
            *(f"[{kind.name}](../src/regie/networks/{kind.slug}/NOTES.md){end}" for kind, end in _ends(kinds)),
            "",
        )
    )


def _capabilities(kinds: list[Any]) -> str:
    """Network by capability, in one word each."""
    from regie.networks.table import DECLARED, cells

    found = [cells(kind.slug) for kind in kinds]
    rows = [[name.replace("_", " "), *(of[name].state for of in found)] for name in DECLARED]
    return _table(["", *(kind.name for kind in kinds)], rows)


def _evidence(kind: Any) -> str:
    """One network: the test or the source behind each word."""
    from regie.networks.table import cells

    lines = [f"### {kind.name}", ""]
    for name, cell in cells(kind.slug).items():
        why = f"`{cell.why}`" if cell.state == "works" else cell.why
        lines.append(f"- {name.replace('_', ' ')}: {cell.state}{f', {why}' if why else ''}")
    return "\n".join([*lines, ""])


def _ends(kinds: list[Any]) -> Iterator[tuple[Any, str]]:
    for number, kind in enumerate(kinds, start=1):
        yield kind, "." if number == len(kinds) else ","


def _yes(said: bool) -> str:
    return "yes" if said else "no"


def _names(found: Any) -> str:
    return ", ".join(sorted(str(one).replace("_", " ") for one in found)) or "none"


def _images(kind: Any) -> str:
    limit = kind.can.images
    return f"{limit.most}, up to {_size(limit.largest_bytes)} each" if limit else "no"


def _video(limit: Any) -> str:
    if limit is None:
        return "no"
    many = f"{limit.most}, each " if limit.most > 1 else ""
    return f"{many}up to {_span(limit.longest)}, {_size(limit.largest_bytes)}"


def _size(size: int) -> str:
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"


def _span(time: Any) -> str:
    seconds = time.total_seconds()
    if seconds >= 7200 and seconds % 3600 == 0:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds >= 120 and seconds % 60 == 0 else f"{seconds:g} s"


def _story(kind: Any) -> str:
    found = [name for name, limit in (("picture", kind.can.story_images), ("video", kind.can.story_video)) if limit]
    return " or ".join(found) or "no"


def _alt(kind: Any) -> str:
    limit = kind.can.images
    return f"up to {limit.longest_alt:,} characters" if limit and limit.longest_alt else "no"


def _poll(kind: Any) -> str:
    limit = kind.can.poll
    return f"up to {limit.most_options} answers of {limit.longest_option} characters" if limit else "no"


def _text(kind: Any) -> str:
    limit = kind.can.text
    beside = f", {limit.longest_with_media:,} beside pictures" if limit.longest_with_media else ""
    return f"{limit.longest:,} {UNITS[str(limit.counting)]}{beside}"


def _delete(kind: Any) -> str:
    within = kind.can.delete_within
    return f"for {within.total_seconds() / 3600:g} hours" if kind.can.delete and within else _yes(kind.can.delete)


UNITS = {
    "characters": "characters",
    "graphemes": "characters as people see them",
    "mastodon": "characters as people see them; a link counts 23",
    "utf16": "UTF-16 units; most emoji are two or more",
    "x": "weighted characters; a link counts 23, an emoji 2",
    "emoji_bytes": "characters; an emoji counts its bytes",
}
SIGN_IN = {
    "access_key": "keys that a person copies",
    "oauth": "the network's own page (OAuth)",
    "app_password": "an app password",
    "bot_token": "a bot's token",
}
LOST = {
    "Repeatable": "sends the same again: the network recognises it",
    "AskStatus": "asks the network about it",
    "Search": "looks for the post first",
    "NobodyKnows": "asks a person",
}
LINES: tuple[Line, ...] = (
    ("Sign in with", lambda kind: ", ".join(SIGN_IN[str(way)] for way in kind.can.sign_in)),
    ("Text", _text),
    ("Pictures", _images),
    ("Alternative text", _alt),
    ("Videos", lambda kind: _video(kind.can.video)),
    ("Pictures and videos together", lambda kind: _yes(kind.can.mixed_media)),
    ("Short vertical video", lambda kind: _video(kind.can.short)),
    ("Story", _story),
    ("First comment", lambda kind: _yes(kind.can.first_comment)),
    ("Fetches files from our public address", lambda kind: _yes(kind.can.fetches_media)),
    ("Parts of a thread", lambda kind: f"up to {kind.can.thread}" if kind.can.thread > 1 else "no"),
    ("Poll", _poll),
    ("Content warning", lambda kind: _yes(kind.can.content_warning is not None)),
    ("Cover sensitive pictures", lambda kind: _yes(kind.can.sensitive)),
    ("Visibility", lambda kind: _names(kind.can.visibility)),
    ("Say the language", lambda kind: _yes(kind.can.languages)),
    ("Edit what is out", lambda kind: _yes(kind.can.edit)),
    ("Delete what is out", _delete),
    ("Reads", lambda kind: _names(kind.can.reads)),
    ("Answers", lambda kind: _names(kind.can.answers)),
    ("Messages come by", lambda kind: _names(kind.can.arrival)),
    ("Numbers of a post", lambda kind: _names(kind.can.post_metrics)),
    ("Numbers of an account", lambda kind: _names(kind.can.account_metrics)),
    ("When the network's answer is lost, Régie", lambda kind: LOST[type(kind.can.repeat).__name__]),
)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def pages() -> dict[Path, str]:
    """Every page that holds something made here, as it should be."""
    made = {DOCS / "networks.md": networks()}
    for language in ("en", "fr"):
        path = DOCS / "guide" / f"{language}.md"
        before, begin, rest = path.read_text().partition(ROLES_BEGIN)
        _, end, after = rest.partition(ROLES_END)
        if not begin or not end:
            raise SystemExit(f"{path.name} has no place for the roles: {ROLES_BEGIN} … {ROLES_END}")
        made[path] = f"{before}{begin}\n{roles(language)}\n{end}{after}"
    return made


def main(arguments: list[str]) -> int:
    made = pages()
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    if arguments == ["check"]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run `python scripts/docs.py write`.")
        return 1 if stale else 0
    if arguments == ["write"]:
        for path in stale:
            path.write_text(made[path])
            print(f"{path.relative_to(ROOT)} is written.")
        return 0
    print(__doc__)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
