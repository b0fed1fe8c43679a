"""E-mail of the demo, whose people have invented addresses: it goes nowhere, and fills no screen."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

log = logging.getLogger(__name__)


class OneLineEach(BaseEmailBackend):
    """Says of each e-mail to whom it would have gone, and what about."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for message in email_messages:
            log.info("E-mail to %s: %s", ", ".join(message.recipients()), message.subject)
        return len(email_messages)
