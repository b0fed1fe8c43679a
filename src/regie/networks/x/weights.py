"""Counting as X counts: weighted characters. Source: docs.x.com/fundamentals/counting-characters, twitter-text v3.

A text is composed (NFC) first. Any link weighs 23, an emoji with all that belongs to it 2, characters of the four
ranges below 1, every other character 2.
"""

from __future__ import annotations

import unicodedata

import regex

LINK = 23
LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))

GENERIC = (
    "academy agency ai app art audio band bank beer bike biz blog boutique brussels cafe careers cat center chat "
    "church city clinic cloud club coffee com community company consulting cool coop dance date design dev "
    "digital eco edu education email energy events expert express family farm fashion film finance fitness fm "
    "foundation fun fund gallery game games garden global gov gratis group guide guru health help host hotel "
    "house immo info ink institute int international io jobs kitchen law legal life link live london ltd market "
    "marketing media mil mobi mobile moda museum music name net network news nyc one online org page paris "
    "partners photo photography photos pizza plus press pro productions radio recipes rent restaurant run sale "
    "school science services shop show site social software solutions space sport store studio style support "
    "systems tax team tech technology tel theater tickets tips tools top tours town toys trade training travel "
    "tube tv university vet video vin vip vision voyage watch website wedding wiki wine work works world xxx xyz "
    "yoga zone"
).split()
_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{N}_-]*[\p{L}\p{N}])?"
_PATH = r"(?:[/?#][^\s<>\"]*)?"
_LINKS = regex.compile(
    rf"""
    https?://{_LABEL}(?:\.{_LABEL})+(?::\d+)?{_PATH}
    | (?<![@＠$\#＃.\p{{L}}\p{{N}}_/-])
      (?: (?:{_LABEL}\.)+ (?:{"|".join(GENERIC)}) (?![\p{{L}}\p{{N}}_-]|\.[\p{{L}}\p{{N}}]) {_PATH}
        | (?:{_LABEL}\.)+ (?:{_LABEL}\.) [a-z]{{2}} (?![\p{{L}}\p{{N}}_.-]) {_PATH}
        | (?:{_LABEL}\.) (?:co|tv) (?![\p{{L}}\p{{N}}_.-]) {_PATH}
        | (?:{_LABEL}\.) [a-z]{{2}} /[^\s<>\"]* )
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
"""Addresses, with ``https://`` or without. Those without are known by their last part: the common generic ones above,
or two letters, which X takes for a country only when more stands around them (``t.co`` and ``.tv`` excepted)."""
_AFTER = ".,;:!?'\")]}…»"  # what ends a sentence is no part of the address in it
_EMOJI = regex.compile(
    r"\p{Emoji_Presentation}|\p{Extended_Pictographic}[\uFE0F\u200D\p{Emoji_Modifier}]|[0-9#*]\uFE0F?\u20E3"
)


def links_in(text: str) -> list[tuple[int, int]]:
    """Where each address begins and ends that X makes a link of."""
    found = []
    for match in _LINKS.finditer(text):
        address = match[0]
        while address[-1] in _AFTER and not (address[-1] == ")" and address.count("(") >= address.count(")")):
            address = address[:-1]
        found.append((match.start(), match.start() + len(address)))
    return found


def weighted(text: str) -> int:
    """The text's length as X counts it, in weighted characters: 280 for most accounts."""
    text = unicodedata.normalize("NFC", text)
    total, at = 0, 0
    for begin, end in links_in(text):
        total += _plain(text[at:begin]) + LINK
        at = end
    return total + _plain(text[at:])


def _plain(text: str) -> int:
    if text.isascii():
        return len(text)
    return sum(
        2 if _EMOJI.match(cluster) else sum(_weight(ord(one)) for one in cluster)
        for cluster in regex.findall(r"\X", text)
    )


def _weight(point: int) -> int:
    return 1 if any(first <= point <= last for first, last in LIGHT) else 2
