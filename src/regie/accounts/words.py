"""Sentences that Telegram's connector puts together as it goes, named here so that they are translated."""

from __future__ import annotations

from django.utils.translation import gettext_noop

TELEGRAM = (  # networks/telegram/sign_in.py: why a bot cannot post, Profile.limits["missing"]; publishing.py: NO_DIRECT
    gettext_noop("{bot} is not in “{chat}”. Add it as an administrator there, then try again."),
    gettext_noop("{bot} is not an administrator of “{chat}”. Make it one, with the right to post messages."),
    gettext_noop("{bot} is an administrator of “{chat}” but may not post. Give it the right to post messages."),
    gettext_noop("{bot} may not send messages in “{chat}”. Lift that restriction, or make it an administrator."),
    gettext_noop("The bot sees only answers to its own messages: make it an administrator to see all mentions."),
    gettext_noop("The channel has no discussion group, so nobody can comment: link one in its settings."),
    gettext_noop("Comments will not arrive: make the bot an administrator of the channel's discussion group too."),
    gettext_noop(
        "Private messages to the channel will not arrive: give the bot the right to manage direct messages, if the "
        "channel takes them."
    ),
    gettext_noop(
        "The bot may not answer private messages to the channel. Give it the right to manage direct messages in the "
        "channel's administrators, then send the answer again."
    ),
)
