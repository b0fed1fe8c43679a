"""What a declaration leaves out is refused before the network is asked anything."""

from __future__ import annotations

from regie.networks.capabilities import Capabilities
from regie.networks.data import Outgoing
from regie.networks.errors import Refused


def must_be_taken(outgoing: Outgoing, can: Capabilities, *, network: str) -> None:
    """Formats and kinds of files. How many of them, and how large, is the connector's own to say."""
    form = outgoing.format
    if form not in can.formats:
        raise Refused("{network} does not have this format.", network=network)
    if outgoing.pictures and can.images_in(form) is None:
        raise Refused("{network} takes no pictures here.", network=network)
    if outgoing.videos and can.video_in(form) is None:
        raise Refused("{network} takes no videos here.", network=network)
    if outgoing.documents and can.documents is None:
        raise Refused("{network} takes no documents.", network=network)
    if outgoing.sounds and can.sounds is None:
        raise Refused("{network} takes no sounds.", network=network)
