"""News of deliveries, for the apps after this one."""

from django.dispatch import Signal

held_shown = Signal()
"""``rows``: the deliveries that a freeze holds, as a person is shown them to decide. Receivers answer with what there
is to know of some of them: delivery number -> sentence."""
