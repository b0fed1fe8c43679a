"""What a person has to do at each vendor before an account can be connected, with the exact addresses to copy."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from regie.accounts.sign_in import redirect_uri
from regie.networks import registry

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Guide:
    """``steps`` to follow in order; ``works`` what can be done before any review; ``addresses`` to copy, by name."""

    slug: str
    name: str
    summary: Words
    steps: tuple[Words, ...]
    works: Words
    addresses: tuple[tuple[Words, str], ...] = field(default=())


_SUMMARY: dict[str, Words] = {
    "mastodon": _("Any server that speaks Mastodon's API: Mastodon, Pleroma, Akkoma, GoToSocial, snac."),
    "bluesky": _("An account on Bluesky, or on a server of your own."),
    "telegram": _("A channel or a group, through a bot of yours."),
}
_STEPS: dict[str, tuple[Words, ...]] = {
    "mastodon": (
        _("Name the server the account lives on. Régie registers itself there: you create nothing."),
        _("On the server's own page, check which account is signed in, and authorise Régie."),
    ),
    "bluesky": (
        _("Type the handle. Bluesky's own page opens: sign in there and allow Régie."),
        _("Or make an app password in Bluesky (Settings, Privacy and security, App passwords) and paste it here."),
    ),
    "telegram": (
        _("In Telegram, write /newbot to @BotFather, choose a name, and copy the token it answers."),
        _("In your channel, open Administrators and add the bot, with the right to post, edit and delete messages."),
        _("To answer comments, add the bot to the channel's discussion group too, as an administrator."),
    ),
}
_WORKS: dict[str, Words] = {
    "mastodon": _("Everything works at once: there is no review."),
    "bluesky": _(
        "Everything works at once: there is no review. Signing in on Bluesky's page needs a public https "
        "address of Régie (REGIE_URL), or Régie opened at 127.0.0.1."
    ),
    "telegram": _(
        "Everything works at once: there is no review. Telegram does not tell bots how often a post was seen."
    ),
}


def guide_for(slug: str) -> Guide:
    addresses: tuple[tuple[Words, str], ...] = ()
    if slug in ("mastodon", "bluesky"):
        addresses = ((_("Redirect address"), redirect_uri(slug)),)
    return Guide(
        slug=slug,
        name=registry.connector(slug).name,
        summary=_SUMMARY[slug],
        steps=_STEPS[slug],
        works=_WORKS[slug],
        addresses=addresses,
    )


def guides() -> list[Guide]:
    return [guide_for(slug) for slug in registry.slugs()]
