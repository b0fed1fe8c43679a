"""The PostgreSQL that Régie brings along: one cluster per data folder, shared by all processes of the product.

``ensure(data)`` brings it up and takes a share; ``close()`` gives the share back, as does the end of the process,
however sudden. See README.md for how it holds together.
"""

from .client import Running, check_server, ensure
from .errors import EmbeddedError, ServerTooOld
from .places import binaries

__all__ = ["EmbeddedError", "Running", "ServerTooOld", "binaries", "check_server", "ensure"]
