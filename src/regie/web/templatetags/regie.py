"""Template tags of the pieces every screen is made of. ``{% load regie %}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_info, gettext

from regie.web import states, vendored

register = template.Library()

THEMES = ("auto", "light", "dark")
THEME_COOKIE = "regie_theme"


@register.simple_tag
def icon(name: str, css: str = "", label: str | Promise = "") -> SafeString:
    """A drawing of the sprite. Silent for screen readers unless ``label`` says what it stands for.

    Raises ValueError for a name that scripts/vendor-icons.txt does not list.
    """
    if name not in vendored.ICONS:
        raise ValueError(f"There is no icon {name!r}: add it to scripts/vendor-icons.txt and run make vendor.")
    return _drawing("icons.svg", name, f"icon {css}".strip(), label)


@register.simple_tag
def network_mark(slug: str, css: str = "", label: str | Promise = "") -> SafeString:
    """The mark of a network in the colour of the text; a globe for a network that has none."""
    classes = f"icon network-mark {css}".strip()
    if slug in vendored.MARKS:
        return _drawing("networks.svg", slug, classes, label)
    return _drawing("icons.svg", "world", classes, label)


def _drawing(sprite: str, name: str, classes: str, label: str | Promise) -> SafeString:
    href = f"{static(vendored.FILES[sprite])}#{name}"
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}"></use></svg>', classes, label, href
        )
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}"></use></svg>', classes, href
    )


@register.simple_tag(name="vendored")
def vendored_file(name: str) -> str:
    """The address of a vendored file by its short name ("htmx.js"), whatever its version."""
    return static(vendored.FILES[name])


@register.inclusion_tag("web/_state.html")
def state(value: Any, kind: str = "delivery", brief: bool = False) -> dict[str, Any]:
    """A state as icon + word + tone. ``value`` is what the table holds; ``brief`` keeps the word for screen readers."""
    key = str(getattr(value, "value", value) or "")
    return {"look": states.look(key, kind), "state": key, "brief": brief}


@register.inclusion_tag("web/_avatar.html")
def avatar(name: str, url: str = "", size: str = "m", network: str = "") -> dict[str, Any]:
    """A person or an account: its picture, or its initials on a colour that stays the same for the name."""
    return {
        "name": name,
        "url": url,
        "size": size,
        "network": network,
        "initials": initials(name),
        "hue": sum(ord(c) for c in name) % 6,
    }


@register.filter
def initials(name: str) -> str:
    """One or two capitals for a name or a handle: "Ana Díaz" -> "AD", "@regie@social.example" -> "R"."""
    words = [word for word in name.lstrip("@").split("@")[0].replace("_", " ").split() if word[:1].isalnum()]
    letters = [word[0] for word in (words[:1] + words[1:][-1:])]
    return "".join(letters).upper() or "?"


@register.simple_tag(takes_context=True)
def theme_choice(context: Mapping[str, Any]) -> str:
    """auto, light or dark: the cookie of this browser, else what the person chose elsewhere, else auto."""
    request = context.get("request")
    if not isinstance(request, HttpRequest):
        return "auto"
    chosen = request.COOKIES.get(THEME_COOKIE) or getattr(getattr(request, "user", None), "theme", "")
    return chosen if chosen in THEMES else "auto"


@register.simple_tag
def scope_address(slug: str) -> str:
    """Where a client's pages begin; "all" for all of them. ScopeMiddleware reads the same prefix."""
    return f"/w/{slug}/"


@register.simple_tag
def offered_languages() -> list[dict[str, str]]:
    """The languages a person can choose, each {code, name}, the name in that language."""
    return [
        {"code": code, "name": str(get_language_info(code)["name_local"]).capitalize()}
        for code, _name in settings.LANGUAGES
    ]


@register.filter
def undo_url(extra_tags: str | None) -> str:
    """The address in a message's ``extra_tags="undo:/w/x/…"``; only a path of ours counts."""
    marked = [tag.removeprefix("undo:") for tag in (extra_tags or "").split() if tag.startswith("undo:")]
    return marked[0] if marked and marked[0].startswith("/") and not marked[0].startswith("//") else ""


@register.filter
def message_look(level_tag: str) -> dict[str, str]:
    """Icon and tone of a message of Django's messages framework."""
    looks = {
        "success": ("circle-check", "good"),
        "warning": ("alert-triangle", "warn"),
        "error": ("circle-x", "bad"),
    }
    name, tone = looks.get(level_tag, ("info-circle", "info"))
    return {"icon": name, "tone": tone}


@register.filter
def tone_icon(tone: str) -> str:
    """The icon that goes with a tone when a text has none of its own."""
    icons = {"good": "circle-check", "warn": "alert-triangle", "bad": "circle-x", "wait": "hourglass"}
    return icons.get(tone, "info-circle")


@register.simple_tag
def script_words() -> dict[str, str]:
    """The sentences app.js says, in the language of the page."""
    return {
        "offline": gettext("No connection. What you see may be old, and nothing was saved: try again in a moment."),
        "failed": gettext("Something went wrong on our side. Nothing was changed: try again in a moment."),
        "refused": gettext("You are not allowed to do that here."),
        "gone": gettext("That is no longer there. Reload the page to see what is."),
        "conflict": gettext("Somebody changed this in the meantime. Reload the page to see their version."),
        "too_big": gettext("That file is too big for us."),
        "too_fast": gettext("That was a lot at once. Wait a few seconds, then try again."),
        "signed_out": gettext("You were signed out. Reload the page to sign in again."),
        "copied": gettext("Copied."),
        "copy_failed": gettext("Your browser did not let us copy. Select the text and copy it yourself."),
        "uploading": gettext("Uploading {name}"),
        "upload_waits": gettext("The line is down: {name} goes on by itself"),
        "upload_read": gettext("Looking at {name}"),
        "upload_failed": gettext("{name} could not be uploaded."),
        "left": gettext("{n} left"),
        "over": gettext("{n} too many"),
        "selected": gettext("{n} selected"),
        "passkey_failed": gettext("The passkey was not used: it was cancelled, or this device does not have it."),
    }
