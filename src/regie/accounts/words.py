"""Sentences that connectors keep as plain text rather than raise, named here so that they are translated."""

from __future__ import annotations

from django.utils.translation import gettext_noop

TELEGRAM = (  # networks/telegram/sign_in.py: why a bot cannot post, and Profile.limits["missing"]
    gettext_noop("{bot} is not in “{chat}”. Add it as an administrator there, then try again."),
    gettext_noop("{bot} is not an administrator of “{chat}”. Make it one, with the right to post messages."),
    gettext_noop("{bot} is an administrator of “{chat}” but may not post. Give it the right to post messages."),
    gettext_noop("{bot} may not send messages in “{chat}”. Lift that restriction, or make it an administrator."),
    gettext_noop("The bot sees only answers to its own messages: make it an administrator to see all mentions."),
    gettext_noop("The channel has no discussion group, so nobody can comment: link one in its settings."),
    gettext_noop("Comments will not arrive: make the bot an administrator of the channel's discussion group too."),
)
INSTAGRAM = (  # networks/instagram/sign_in.py: Profile.limits["missing"]
    gettext_noop("Nothing can be published: connect again and leave publishing ticked."),
    gettext_noop("Comments can be neither read nor answered: connect again and leave comments ticked."),
    gettext_noop("Direct messages can be neither read nor answered: connect again and leave messages ticked."),
    gettext_noop("There are no numbers but likes and comments: connect again and leave insights ticked."),
)
LINKEDIN = (  # networks/linkedin/sign_in.py: Profile.limits["missing"]
    gettext_noop("Nothing can be published: connect again and allow publishing for your Pages."),
    gettext_noop("What was published is not found again by itself: connect again and allow reading posts."),
    gettext_noop("Comments cannot be answered: connect again and allow comments for your Pages."),
    gettext_noop("There are no numbers and no comments: connect again and allow managing your Pages."),
    gettext_noop("Nothing can be published: connect again and allow publishing for you."),
    gettext_noop("There is no first comment: LinkedIn allows it to apps with Community Management only."),
    gettext_noop("There are no numbers: LinkedIn tells them to apps with Community Management only."),
)
