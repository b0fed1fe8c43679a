"""What the web server calls. Imported once per process, which is then warm."""

import logging
import os
import sys

from django.core.wsgi import get_wsgi_application

from regie.config.warm import warm_up
from regie.core.parent import die_with_parent

if parent := os.environ.pop("REGIE_WEB_PARENT", ""):
    die_with_parent(int(parent))  # killed, `regie web` must not leave its workers on the port
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regie.config.settings")
application = get_wsgi_application()
os.environ.pop("REGIE_EMBEDDED_URL", None)  # read by now; the server copies the environment into every request

try:
    warm_up()
except Exception:
    logging.getLogger(__name__).critical("The pages cannot be loaded.", exc_info=True)
    sys.exit(1)
