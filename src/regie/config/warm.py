"""Loads what requests need before there is one: the first person does not wait, and a mistake shows at the start."""

from __future__ import annotations


def warm_up() -> None:
    """Every address with its view, the pages met first, and both languages. Django must be loaded."""
    from django.template.loader import get_template
    from django.urls import get_resolver
    from django.utils.translation import gettext, override

    get_resolver().check()
    for page in ("shell.html", "account/login.html", "people/welcome.html", "503.html"):
        get_template(page)
    for language in ("en", "fr"):
        with override(language):
            gettext("Welcome")
