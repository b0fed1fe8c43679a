"""After a restore: posts on the accounts, made elsewhere as far as we know, that say what is planned or being written.

Somebody may have sent it after the backup, early or from a draft. Nothing in a restored database tells; the words do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from regie.accounts.models import Account
from regie.core import clock
from regie.core.times import WallTime
from regie.measure.elsewhere import BACK, not_ours
from regie.measure.models import Round
from regie.networks.likeness import normal
from regie.publishing.models import Delivery, Freeze, Installation
from regie.publishing.signals import held_shown
from regie.studio.content import Content
from regie.studio.desk import Desk
from regie.studio.signals import time_chosen

SAID_FOR = timedelta(days=30)  # after a restore
MOST = 5  # sentences in the composer
Saying = tuple[int, str]  # an account's number, and words as ``normal`` makes them


def register() -> None:
    time_chosen.connect(say_in_composer, dispatch_uid="measure.known")
    held_shown.connect(say_of_held, dispatch_uid="measure.known")


def read_all_soon() -> None:
    """The accounts' posts are listed at once and not tomorrow: what was sent after the backup is among them."""
    Round.objects.update(history_at=clock.now())


def say_in_composer(sender: type[Desk], desk: Desk, at: WallTime | None, **_more: Any) -> list[tuple[str, str]]:
    """The accounts that have a post with these words, when this installation was restored lately."""
    wanted = {_saying(row.account.pk, row.content): row.account for row in desk.rows}
    return [("warn", _said(wanted[saying], since)) for saying, since in _there(wanted).items()][:MOST]


def say_of_held(sender: type[Freeze], rows: Sequence[Delivery], **_more: Any) -> dict[int, str]:
    """Of what a freeze holds, that which may have gone out early."""
    wanted = {row.pk: _saying(row.account_id, row.variant.document) for row in rows}
    there = _there(wanted.values())
    return {row.pk: _said(row.account, there[wanted[row.pk]]) for row in rows if wanted[row.pk] in there}


def _saying(account: int, content: Content) -> Saying:
    return account, normal(content.parts[0].text if content.parts else "")


def _there(wanted: Iterable[Saying]) -> dict[Saying, datetime]:
    """Those that are on their account, and since when. A picture without words is like any other, and left out."""
    now, keys = clock.now(), {saying for saying in wanted if saying[1]}
    restored = Installation.objects.filter(restored_at__gt=now - SAID_FOR).values_list("restored_at", flat=True).first()
    if restored is None or not keys:
        return {}
    rows = not_ours().filter(account__in={account for account, _words in keys}, gone_at=None)
    rows = rows.filter(published_at__gt=restored - BACK, published_at__lte=restored).order_by("published_at")
    found = rows.values_list("account_id", "text", "published_at")
    return {saying: at for account, text, at in found if (saying := (account, normal(text))) in keys}


def _said(account: Account, since: datetime) -> str:
    when = date_format(localtime(since), "j F, H:i")
    return _("A post with these words is on {account} since {when}.").format(account=account.in_full, when=when)
