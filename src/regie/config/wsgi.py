"""What the web server calls. Imported once per process, which is then warm: the first person does not wait."""

import logging
import os
import sys

from django.core.wsgi import get_wsgi_application

from regie.core.parent import die_with_parent

if parent := os.environ.pop("REGIE_WEB_PARENT", ""):
    die_with_parent()  # killed, `regie web` must not leave its workers on the port
    if str(os.getppid()) != parent:
        sys.exit(1)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regie.config.settings")
application = get_wsgi_application()
os.environ.pop("REGIE_EMBEDDED_URL", None)  # read by now; the server copies the environment into every request


def warm_up() -> None:
    """Loads every address and page: a mistake in one shows at the start, not at the first visitor."""
    from django.template.loader import get_template
    from django.urls import get_resolver
    from django.utils.translation import gettext, override

    get_resolver().check()
    for page in ("shell.html", "account/login.html", "people/welcome.html", "503.html"):
        get_template(page)
    for language in ("en", "fr"):
        with override(language):
            gettext("Welcome")


try:
    warm_up()
except Exception:
    logging.getLogger(__name__).critical("The pages cannot be loaded.", exc_info=True)
    sys.exit(1)
