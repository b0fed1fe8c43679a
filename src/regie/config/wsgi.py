"""What the web server calls. Imported once per process, which is then warm: the first person does not wait."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regie.config.settings")
application = get_wsgi_application()
os.environ.pop("REGIE_EMBEDDED_URL", None)  # read by now; the server copies the environment into every request


def warm_up() -> None:
    """Loads every address and page, so that what cannot work says so now and not at the first visit."""
    from django.template.loader import get_template
    from django.urls import get_resolver
    from django.utils.translation import gettext, override

    get_resolver().check()
    for page in ("shell.html", "account/login.html", "people/welcome.html", "503.html"):
        get_template(page)
    for language in ("en", "fr"):
        with override(language):
            gettext("Welcome")


warm_up()
get_resolver().url_patterns  # noqa: B018  # a mistake in an app shows at the start, not at the first visitor
