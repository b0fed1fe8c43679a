"""The "little" text of posts: what people type, as LinkedIn wants it written, and back.

Source: learn.microsoft.com, LinkedIn, Community Management, "little Text Format".
"""

from __future__ import annotations

import regex

RESERVED = regex.compile(r"[\\|{}@\[\]()<>#*_~]")
MENTION = regex.compile(r"@\[((?:[^\]\\]|\\.)+)\]\((urn:li:(?:person|organization):[\w-]+)\)")
HASHTAG = regex.compile(r"(?<![\w&/#\\])[#＃]([\p{L}\p{N}\p{M}]*\p{L}[\p{L}\p{N}\p{M}]*)(?![\w])")
WRITTEN_HASHTAG = regex.compile(r"\{hashtag\|\\?([#＃])\|((?:[^}\\]|\\.)+)\}")
ESCAPED = regex.compile(r"\\([\\|{}@\[\]()<>#＃*_~])")
SPECIAL = regex.compile(f"{MENTION.pattern}|{HASHTAG.pattern}")


def escaped(text: str) -> str:
    return RESERVED.sub(lambda found: f"\\{found[0]}", text)


def written(text: str) -> str:
    """Hashtags as templates, ``@[Name](urn:li:organization:1)`` as the mention it is, everything else as plain text."""
    parts, done = [], 0
    for found in SPECIAL.finditer(text):
        parts.append(escaped(text[done : found.start()]))
        name, urn, tag = found.groups()
        parts.append(f"@[{escaped(name)}]({urn})" if urn else rf"{{hashtag|\#|{tag}}}")
        done = found.end()
    return "".join((*parts, escaped(text[done:])))


def read(commentary: str) -> str:
    """What was typed: the opposite of ``written``."""
    return ESCAPED.sub(r"\1", WRITTEN_HASHTAG.sub(lambda found: found[1] + found[2], commentary))
