"""Bring the front-end files we serve into the tree, pinned, checksummed and with their licences.

    python scripts/vendor.py            fetch what PACKAGES names, refuse what differs from the lock, write the files
    python scripts/vendor.py --update   the same, and take the registry's checksums of new versions into the lock
    python scripts/vendor.py --check    no network: the files in the tree are the ones the lock promises

Needs nothing but Python. Packages come from the npm registry over https (proxy settings of the environment are
respected) and are kept in ``~/.cache/regie-vendor``, always checked again before use. Output:
``src/regie/web/static/vendor/<name>-<version>/``, and ``src/regie/web/vendored.py`` for templates to look paths up in.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import re
import shutil
import sys
import tarfile
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
WEB = HERE.parent / "src" / "regie" / "web"
STATIC = WEB / "static" / "vendor"
TABLE = WEB / "vendored.py"
LOCK = HERE / "vendor.lock.json"
ICONS = HERE / "vendor-icons.txt"
CACHE = Path.home() / ".cache" / "regie-vendor"
REGISTRY = "https://registry.npmjs.org"

MIT = """The MIT License (MIT)

Copyright (c) {who}

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN
THE SOFTWARE.
"""


@dataclass(frozen=True)
class Package:
    """One npm package: which files we keep (path inside it -> our file name), and whose licence goes with them."""

    name: str
    version: str
    files: dict[str, str] = field(default_factory=dict)
    licence: str = "LICENSE"  # path inside the package, or the holder's name when the package ships none (MIT)
    sprite: tuple[str, ...] = ()  # network marks taken from it; "ours:theirs" where a name of ours is another

    @property
    def folder(self) -> str:
        return f"{self.name.lstrip('@').replace('/', '-')}-{self.version}"

    @property
    def pin(self) -> str:
        return f"{self.name}@{self.version}"


# Vega, Vega-Lite and vega-embed are those of vl-convert-python 1.9, which draws the same specs for PDF and e-mail;
# this vega-embed carries vega-interpreter 2 inside, so expressions run without eval.
# simple-icons dropped LinkedIn after version 13: its mark comes from there. htmx stays at 2: version 4 drops the
# implicit inheritance of hx-target and hx-headers that base.html relies on.
PACKAGES = (
    Package(
        "@tabler/core",
        "1.6.1",
        {"dist/css/tabler.min.css": "tabler.css"},
        licence="2018-2026 The Tabler Authors",
    ),
    Package("@tabler/icons", "3.51.0"),
    Package(
        "simple-icons",
        "16.37.0",
        licence="LICENSE.md",
        sprite=(
            "bluesky",
            "facebook",
            "google_business:google",
            "instagram",
            "mastodon",
            "pinterest",
            "reddit",
            "telegram",
            "threads",
            "tiktok",
            "vk",
            "x",
            "youtube",
        ),
    ),
    Package("simple-icons", "13.21.0", licence="LICENSE.md", sprite=("linkedin",)),
    Package("htmx.org", "2.0.11", {"dist/htmx.min.js": "htmx.js"}),
    Package(
        "@alpinejs/csp",
        "3.17.4",
        {"dist/cdn.min.js": "alpine.js"},
        licence="2019-2026 Caleb Porzio and contributors",
    ),
    Package("vega", "6.2.0", {"build/vega.min.js": "vega.js"}),
    Package("vega-lite", "6.4.1", {"build/vega-lite.min.js": "vega-lite.js"}),
    Package("vega-embed", "7.0.2", {"build/vega-embed.min.js": "vega-embed.js"}),
)

# Parts of Tabler no screen of ours uses, by the family (first words) of a class; a selector that needs one of them
# is dropped. Menus, dialogs, tabs and toasts are native elements with rules of our own (regie.css, app.js).
UNUSED_FAMILIES = (
    "accordion",
    "bg-pattern",
    "carousel",
    "chart-",
    "chat",
    "com-",
    "flag",
    "form-floating",
    "form-colorinput",
    "form-otp",
    "form-imagecheck",
    "g-col",
    "g-start",
    "input-otp",
    "jsgrid",
    "legend",
    "litepicker",
    "loader",
    "modal",
    "navbar",
    "nav-segmented",
    "offcanvas",
    "page-cover",
    "payment",
    "popover",
    "progressbg",
    "prose",
    "ribbon",
    "signal",
    "signature",
    "sortable",
    "sparkline",
    "strength",
    "switch-icon",
    "toast",
    "tooltip",
    "bs-tooltip",
    "bs-popover",
    "tracking-bar",
    "tracking-block",
    "ts-",
    "turbo",
)
UNUSED = re.compile(r"\.(?:" + "|".join(re.escape(family) for family in UNUSED_FAMILIES) + r")[\w-]*")
# Alternative spellings of "dark" and the right-to-left or vendor-prefixed twins Tabler repeats in most selectors.
TWINS = re.compile(r"data-bs-navbar-theme|\[data-theme|body\[data-bs-theme|\[dir=rtl\]|::?-ms-")


def prune(css: str) -> str:
    """Tabler's style sheet without the selectors of UNUSED and TWINS; everything that is left keeps its order."""
    kept: list[str] = []
    at = 0
    while at < len(css):
        opening = css.find("{", at)
        if opening < 0:
            kept.append(css[at:])
            break
        head, closing = css[at:opening], _closing(css, opening)
        body = css[opening + 1 : closing]
        at = closing + 1
        statements, _, selector = head.rpartition(";") if head.lstrip().startswith("@charset") else ("", "", head)
        kept.append(statements + ";" if statements else "")
        kept.append(_rule(selector, body))
    return "".join(kept)


def _rule(selector: str, body: str) -> str:
    if selector.startswith(("@media", "@supports", "@layer", "@container")):
        inner = prune(body)
        return f"{selector}{{{inner}}}" if inner.strip() else ""
    if selector.startswith("@"):
        return f"{selector}{{{body}}}"
    comment, selector = _leading_comment(selector)
    left = [one for one in _split(selector) if not UNUSED.search(one) and not TWINS.search(one)]
    return comment + (f"{','.join(left)}{{{body}}}" if left and body.strip() else "")


def _leading_comment(selector: str) -> tuple[str, str]:
    end = selector.rfind("*/")
    return ("", selector) if end < 0 else (selector[: end + 2], selector[end + 2 :])


def _closing(css: str, opening: int) -> int:
    """Index of the brace that closes the one at ``opening``; strings may hold braces."""
    depth, quote = 0, ""
    for i in range(opening, len(css)):
        char = css[i]
        if quote:
            quote = "" if char == quote and css[i - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif char == "{":
            depth += 1
        elif char == "}":
            depth -= 1
            if depth == 0:
                return i
    raise ValueError("a brace of the style sheet never closes")


def _split(selectors: str) -> list[str]:
    """The selectors of a list, at its commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for i, char in enumerate(selectors):
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            parts.append(selectors[start:i])
            start = i + 1
    return [*parts, selectors[start:]]


def symbol(name: str, svg: str, *, stroke: bool) -> str:
    """One drawing as a <symbol>; it takes its colour from the text around it."""
    view = re.search(r'viewBox="([^"]+)"', svg)
    inner = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    if not view or not inner:
        raise ValueError(f"{name} is not a drawing we understand")
    shapes = re.sub(
        r"<title>.*?</title>|<path stroke=\"none\" d=\"M0 0h24v24H0z\" fill=\"none\"\s*/>|\n\s*", "", inner[1]
    )
    paint = (
        'fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round"'
        if stroke
        else 'fill="currentColor"'
    )
    return f'<symbol id="{name}" viewBox="{view[1]}" {paint}>{shapes}</symbol>\n'


def sprite(symbols: list[str]) -> bytes:
    return ('<svg xmlns="http://www.w3.org/2000/svg">\n' + "".join(symbols) + "</svg>\n").encode()


def wanted_icons() -> list[tuple[str, str]]:
    """(name, "outline" or "filled") of each line of vendor-icons.txt."""
    lines = (line.partition("#")[0].strip() for line in ICONS.read_text().splitlines())
    pairs = (line.partition(":") for line in lines if line)
    return [(name, style or "outline") for name, _, style in pairs]


def fetch(package: Package, lock: dict[str, str], *, update: bool) -> dict[str, bytes]:
    """The files of a package, by path inside it. SystemExit when its sha512 is not the locked one."""
    kept = CACHE / f"{package.folder}.tgz"
    tarball = kept.read_bytes() if kept.exists() else None
    if package.pin not in lock:
        if not update:
            raise SystemExit(f"{package.pin} is not in {LOCK.name}: run with --update, and look at what changed.")
        lock[package.pin] = _registry_integrity(package)
    if tarball is None or integrity(tarball) != lock[package.pin]:
        tail = package.name.rpartition("/")[2]
        tarball = _get(f"{REGISTRY}/{package.name}/-/{tail}-{package.version}.tgz")
    if integrity(tarball) != lock[package.pin]:
        raise SystemExit(f"{package.pin}: what came is not what the lock promises. Nothing was written for it.")
    CACHE.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(tarball)
    with tarfile.open(fileobj=io.BytesIO(tarball)) as archive:
        members = ((m.name.partition("/")[2], archive.extractfile(m)) for m in archive if m.isfile())
        return {name: handle.read() for name, handle in members if handle}


def integrity(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def _registry_integrity(package: Package) -> str:
    about = json.loads(_get(f"{REGISTRY}/{package.name}/{package.version}"))
    return str(about["dist"]["integrity"])


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=120) as reply:
        data: bytes = reply.read()
    return data


def build(lock: dict[str, str], *, update: bool) -> tuple[dict[str, bytes], dict[str, str]]:
    """(files to write by path under static/vendor, short name -> that path for the templates)."""
    files: dict[str, bytes] = {}
    table: dict[str, str] = {}
    marks: list[str] = []
    marks_folder = ""
    for package in PACKAGES:
        content = fetch(package, lock, update=update)
        for source, name in package.files.items():
            text = content[source].decode()
            text = re.sub(r"\n?(?://|/\*)# sourceMappingURL=.*", "", text)
            path = f"{package.folder}/{name}"
            files[path] = (prune(text) if name == "tabler.css" else text).encode()
            table[name] = path
        if package.name == "@tabler/icons":
            path = f"{package.folder}/icons.svg"
            files[path] = sprite([_icon(content, name, style) for name, style in wanted_icons()])
            table["icons.svg"] = path
        if package.sprite:
            marks_folder = marks_folder or package.folder
            marks += [_mark(content, *one.split(":")) for one in package.sprite]
        shipped = content.get(package.licence)
        files[f"{package.folder}/LICENSE"] = shipped or MIT.format(who=package.licence).encode()
    files[f"{marks_folder}/networks.svg"] = sprite(sorted(marks))
    table["networks.svg"] = f"{marks_folder}/networks.svg"
    return files, table


def _mark(content: dict[str, bytes], ours: str, theirs: str = "") -> str:
    return symbol(ours, content[f"icons/{theirs or ours}.svg"].decode(), stroke=False)


def _icon(content: dict[str, bytes], name: str, style: str) -> str:
    drawing = content.get(f"icons/{style}/{name}.svg")
    if drawing is None:
        raise SystemExit(f"{ICONS.name}: there is no {style} icon called {name!r}.")
    label = name if style == "outline" else f"{name}-{style}"
    return symbol(label, drawing.decode(), stroke=style == "outline")


def write(files: dict[str, bytes], table: dict[str, str], pins: dict[str, str]) -> None:
    shutil.rmtree(STATIC, ignore_errors=True)
    for path, data in files.items():
        target = STATIC / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    names = sorted(s[1] for s in re.finditer(r'<symbol id="([^"]+)"', files[table["icons.svg"]].decode()))
    marks = sorted(s[1] for s in re.finditer(r'<symbol id="([^"]+)"', files[table["networks.svg"]].decode()))
    TABLE.write_text(_module(table, names, marks))
    wanted = {package.pin for package in PACKAGES}
    lock = {
        "packages": {pin: pins[pin] for pin in sorted(pins) if pin in wanted},
        "files": {path: hashlib.sha256(data).hexdigest() for path, data in sorted(files.items())},
    }
    LOCK.write_text(json.dumps(lock, indent=2) + "\n")


def _module(table: dict[str, str], icons: list[str], marks: list[str]) -> str:
    lines = ['"""Where the vendored files are. Written by scripts/vendor.py: change that, not this."""', ""]
    lines += ["FILES = {", *(f'    "{name}": "vendor/{path}",' for name, path in sorted(table.items())), "}"]
    for label, names in (("ICONS", icons), ("MARKS", marks)):
        lines += ["", f"{label} = frozenset(", "    {", *(f'        "{name}",' for name in names), "    }", ")"]
    return "\n".join(lines) + "\n"


def check() -> list[str]:
    """What differs between the tree and the lock, a sentence each; empty when all is well."""
    promised: dict[str, str] = json.loads(LOCK.read_text())["files"]
    there = {p.relative_to(STATIC).as_posix(): p for p in STATIC.rglob("*") if p.is_file()}
    problems = [f"{path} is missing." for path in promised if path not in there]
    problems += [f"{path} is not in the lock." for path in there if path not in promised]
    for path in promised.keys() & there.keys():
        if hashlib.sha256(there[path].read_bytes()).hexdigest() != promised[path]:
            problems.append(f"{path} was changed by hand.")
    pins = set(json.loads(LOCK.read_text())["packages"])
    problems += [f"{p.pin} is not in the lock: run make vendor." for p in PACKAGES if p.pin not in pins]
    return sorted(problems)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare the tree with the lock, without the network")
    parser.add_argument("--update", action="store_true", help="accept versions the lock does not know yet")
    args = parser.parse_args()
    if args.check:
        problems = check()
        print("\n".join(problems) if problems else "The vendored files are the ones the lock promises.")
        return 1 if problems else 0
    pins: dict[str, str] = json.loads(LOCK.read_text())["packages"] if LOCK.exists() else {}
    files, table = build(pins, update=args.update)
    write(files, table, pins)
    print(f"{len(files)} files, {sum(map(len, files.values())) // 1024} KB, in {STATIC}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
