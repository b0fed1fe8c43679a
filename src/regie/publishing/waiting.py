"""What publishing does when a network asks to be left alone, whoever of us it said so to: the account's lane waits."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from regie.accounts.models import Account
from regie.accounts.signals import asked_to_wait
from regie.publishing.models import Lane


def register() -> None:
    asked_to_wait.connect(let_lane_wait, dispatch_uid="publishing.let_lane_wait")


def let_lane_wait(sender: type[Account], account_id: int, until: datetime, **_more: Any) -> None:
    """A lane that a publisher holds just now hears it from the network itself."""
    Lane.objects.filter(Q(not_before=None) | Q(not_before__lt=until), account=account_id).update(not_before=until)
