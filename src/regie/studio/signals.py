"""News of posts, for the apps after this one. Sent inside the transaction of the change."""

from django.dispatch import Signal

post_changed = Signal()
"""``post``: what it says, or where it goes, was saved anew; ``by`` a Member. Raising a Problem undoes the change."""

post_removed = Signal()
"""``post``: ``by`` a Member puts it in the bin. Raising a Problem keeps it."""

time_chosen = Signal()
"""``desk``, ``at`` (WallTime or None): what is being written, and the time chosen for it. Receivers answer with what to
say beside the time: pairs of tone (info, warn) and sentence."""
