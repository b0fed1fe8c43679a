"""The translation files, in pure Python: ``update`` collects, ``compile`` makes .mo, ``check`` refuses gaps.

Each app has its own file per language. The connectors' sentences (``TryLater("...")``, and those kept by name) belong
to ``accounts``, those of ``core`` and ``config`` to ``web``: those packages carry no translations of their own.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polib

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "regie"
LANGUAGES = ("fr",)
ELSEWHERE = {"networks": "accounts", "core": "web", "config": "web"}
PLAIN = {"_", "gettext", "gettext_lazy", "gettext_noop"}
PLURAL = {"ngettext", "ngettext_lazy"}
CONTEXT = {"pgettext", "pgettext_lazy"}
CONTEXT_PLURAL = {"npgettext", "npgettext_lazy"}
ERRORS = {"TryLater", "Refused", "Gone", "SignInAgain", "Unclear", "TokenExpired"}
SPEAKERS = {"networks", "engine"}  # say what people read in errors and in tables of their own, without gettext
SENTENCE = re.compile(r"[A-Z{][^\n]* [^\n]*\.$")
SHOWN = {
    "Option": ("label", "help", "needs_one", "closed", "shown_as"),
    "Choice": ("label",),
    "Permit": ("label", "help"),
    "Link": ("words",),
    "Saying": ("label", "help", "shown_as"),
    "Clash": ("said",),
    "Capabilities": ("note",),
    "Published": ("limited",),
}
WIDTH = 78  # of the files' lines: polib's own, so that whoever writes one with it changes nothing else
CALL = re.compile(r"\b(gettext|ngettext|pgettext|npgettext|_)\(")


class Message(NamedTuple):
    text: str
    plural: str = ""
    context: str = ""


def messages_of(path: Path) -> Iterator[Message]:
    """Every translatable text of a Python module or a template."""
    if path.suffix == ".py":
        tree, speaks = ast.parse(path.read_text()), not SPEAKERS.isdisjoint(path.parts)
        yield from _in_tree(tree, errors=speaks)
        yield from _kept(tree) if speaks else ()
    else:
        from django.utils.translation.template import templatize

        code = templatize(path.read_text(), origin=str(path))
        for match in CALL.finditer(code):
            yield from _in_tree(ast.parse(_whole_call(code, match), mode="eval"), errors=False)


def _whole_call(code: str, match: re.Match[str]) -> str:
    """The call's text up to its closing bracket: brackets inside strings do not count."""
    end = match.end()
    while (end := code.find(")", end)) != -1:
        end += 1
        try:
            ast.parse(code[match.start() : end], mode="eval")
        except SyntaxError:
            continue
        return code[match.start() : end]
    raise ValueError(f"No end of {code[match.start() : match.start() + 60]!r}")


def _in_tree(tree: ast.AST, *, errors: bool) -> Iterator[Message]:
    for node in ast.walk(tree):
        if errors:
            yield from _raised(node)
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if errors and name in SHOWN:
            yield from _shown(node, SHOWN[name], texts)
        elif name in PLAIN and texts:
            yield Message(texts[0])
        elif name in PLURAL and len(texts) >= 2:
            yield Message(texts[0], plural=texts[1])
        elif name in CONTEXT and len(texts) >= 2:
            yield Message(texts[1], context=texts[0])
        elif name in CONTEXT_PLURAL and len(texts) >= 3:
            yield Message(texts[1], plural=texts[2], context=texts[0])


def _raised(node: ast.AST) -> Iterator[Message]:
    """What an error says: its first argument, wherever a plain text stands in it (``REFUSED.get(code, "...")``), and
    that of an error whose kind is chosen first (``raise raised("...")``)."""
    call, named = node, True
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        call, named = node.exc, False
    if not isinstance(call, ast.Call) or not call.args:
        return
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    if (name in ERRORS) is not named:
        return
    for text in _in_expression(call.args[0]):
        if named or SENTENCE.match(text) or "{network}" in text:
            yield Message(text)


def _in_expression(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=first, orelse=second):
            yield from (*_in_expression(first), *_in_expression(second))
        case ast.Call(func=ast.Attribute(attr="get"), args=[_, default]):
            yield from _in_expression(default)


def _kept(tree: ast.Module) -> Iterator[Message]:
    """Sentences that a module keeps by name: alone, or as values of a dictionary, a tuple, a list."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            yield from (Message(text) for text in _texts(node.value) if SENTENCE.match(text))


def _texts(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Dict(values=many) | ast.Tuple(elts=many) | ast.List(elts=many):
            for one in many:
                yield from _texts(one)


def _shown(node: ast.Call, keywords: tuple[str, ...], texts: list[str]) -> Iterator[Message]:
    """What a connector declares for people to read: the last plain argument, and some by their keywords."""
    yield from (Message(text) for text in texts[1:])
    for keyword in node.keywords:
        if keyword.arg in keywords:
            yield from (Message(text) for text in _texts(keyword.value) if text)


def collect() -> dict[str, dict[Message, list[str]]]:
    """App -> message -> the files that say it."""
    found: dict[str, dict[Message, list[str]]] = {}
    for path in sorted(
        [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("templates/**/*.html"), *PACKAGE.rglob("templates/**/*.txt")]
    ):
        inside = path.relative_to(PACKAGE)
        if "migrations" in inside.parts or inside.parts[0] == "cli" or len(inside.parts) < 2:
            continue
        app = ELSEWHERE.get(inside.parts[0], inside.parts[0])
        for message in messages_of(path):
            if message.text.strip():
                files = found.setdefault(app, {}).setdefault(message, [])
                if (name := inside.as_posix()) not in files:
                    files.append(name)
    return found


def po_path(app: str, language: str) -> Path:
    return PACKAGE / app / "locale" / language / "LC_MESSAGES" / "django.po"


def _read(path: Path) -> polib.POFile:
    if path.exists():
        return polib.pofile(str(path), wrapwidth=WIDTH)
    made = polib.POFile(wrapwidth=WIDTH)
    made.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Language": path.parts[-3],
        "Plural-Forms": "nplurals=2; plural=(n > 1);",
    }
    return made


def update() -> None:
    """Adds what is new (taking a translation that another app has already), drops what nobody says any more."""
    found = collect()
    for language in LANGUAGES:
        known = {
            (entry.msgid, entry.msgid_plural, entry.msgctxt or ""): entry
            for path in PACKAGE.glob(f"*/locale/{language}/LC_MESSAGES/django.po")
            for entry in polib.pofile(str(path))
            if entry.translated()
        }
        for app, messages in found.items():
            path = po_path(app, language)
            old = _read(path)
            new = polib.POFile(wrapwidth=WIDTH)
            new.metadata = old.metadata | {"Plural-Forms": "nplurals=2; plural=(n > 1);"}
            for message, files in sorted(messages.items(), key=lambda item: (item[1][0], item[0])):
                entry = polib.POEntry(
                    msgid=message.text,
                    msgid_plural=message.plural,
                    msgctxt=message.context or None,
                    occurrences=[(name, "") for name in files],
                    flags=["python-brace-format"] if app == "accounts" and "{" in message.text else [],
                )
                if message.plural:
                    entry.msgstr_plural = {0: "", 1: ""}
                if (same := known.get((message.text, message.plural, message.context))) is not None:
                    entry.msgstr, entry.msgstr_plural = same.msgstr, same.msgstr_plural
                new.append(entry)
            path.parent.mkdir(parents=True, exist_ok=True)
            new.save(str(path))


def check() -> list[str]:
    """A line for each text that lacks a translation, or whose translation breaks its {names} or %(names)s."""
    problems = []
    found = collect()
    for language in LANGUAGES:
        for app, messages in found.items():
            entries = {(e.msgid, e.msgid_plural, e.msgctxt or ""): e for e in _read(po_path(app, language))}
            for message, files in messages.items():
                entry = entries.get((message.text, message.plural, message.context))
                if entry is None or not entry.translated() or "fuzzy" in entry.flags:
                    problems.append(f"{language} {app}: {message.text[:70]!r} ({files[0]})")
                elif broken := _broken(entry):
                    problems.append(f"{language} {app}: {message.text[:70]!r}: {broken}")
    return problems


NAMES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def _broken(entry: polib.POEntry) -> str:
    wanted = set(NAMES.findall(entry.msgid_plural or entry.msgid))
    for text in entry.msgstr_plural.values() if entry.msgid_plural else [entry.msgstr]:
        if extra := set(NAMES.findall(text)) - wanted - set(NAMES.findall(entry.msgid)):
            return f"unknown {sorted(extra)}"
    missing = wanted - set(NAMES.findall("".join([entry.msgstr, *entry.msgstr_plural.values()])))
    return f"lacks {sorted(missing)}" if missing else ""


def compile_all() -> None:
    """Writes each .mo beside its .po when it is older."""
    for path in PACKAGE.glob("*/locale/*/LC_MESSAGES/django.po"):
        made = path.with_suffix(".mo")
        if not made.exists() or made.stat().st_mtime < path.stat().st_mtime:
            polib.pofile(str(path)).save_as_mofile(str(made))


def main() -> int:
    match sys.argv[1:]:
        case ["update"]:
            update()
        case ["compile"]:
            compile_all()
        case ["check"]:
            problems = check()
            print("\n".join(problems) or "Every text is translated.")
            return 1 if problems else 0
        case _:
            print("usage: messages.py update | compile | check", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
