"""Sentences that connectors keep as plain text rather than raise, named here so that they are translated."""

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
BLUESKY = (  # networks/bluesky/chat.py: Profile.limits["missing"]
    gettext_noop(
        "Direct messages can be neither read nor answered: connect again on Bluesky's page, or with an app password "
        "that allows access to them."
    ),
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
    gettext_noop("You do not administer this Page: LinkedIn tells comments and numbers to administrators only."),
    gettext_noop("Nothing can be published: connect again and allow publishing for you."),
    gettext_noop("There is no first comment: LinkedIn allows it to apps with Community Management only."),
    gettext_noop("There are no numbers: LinkedIn tells them to apps with Community Management only."),
)
REDDIT = (  # networks/reddit/wire.py: REFUSED; publishing.py: LIMITED; sign_in.py: Profile.limits["missing"]
    gettext_noop("Name the community that this post is for."),
    gettext_noop("This account may not post in this community."),
    gettext_noop("This person blocked the account on {network}."),
    gettext_noop("This flair does not exist in this community: choose another."),
    gettext_noop("This link was posted in this community already."),
    gettext_noop("{network} takes no links to this site."),
    gettext_noop("{network} cannot read this link."),
    gettext_noop("{network} wants a picture that stands for the video."),
    gettext_noop("This is too old to be answered: {network} has archived it."),
    gettext_noop("The moderators closed this to answers."),
    gettext_noop("This community's rules do not allow this comment."),
    gettext_noop("This person takes no messages from this account."),
    gettext_noop("There is no such person on {network}."),
    gettext_noop("Only who wrote it can change it."),
    gettext_noop("Taken away by the community's moderators."),
    gettext_noop("Held back by the community's AutoModerator until a moderator approves it."),
    gettext_noop("Held back by Reddit's spam filter until a moderator approves it."),
    gettext_noop("Taken away by Reddit."),
    gettext_noop("Taken away by Reddit for breaking its rules."),
    gettext_noop("Taken away by Reddit: somebody claims its copyright."),
    gettext_noop("Nothing can be published: connect again and allow everything."),
    gettext_noop("What was published cannot be looked at: connect again and allow everything."),
    gettext_noop("A lost answer cannot be cleared up by itself: connect again and allow everything."),
    gettext_noop("Posts can be neither changed nor deleted: connect again and allow everything."),
    gettext_noop("No flair can be chosen: connect again and allow everything."),
    gettext_noop("Comments and messages can be neither read nor answered: connect again and allow everything."),
    gettext_noop("Comments cannot be liked: connect again and allow everything."),
    gettext_noop("Comments cannot be hidden in communities that the account moderates."),
    gettext_noop("Messages to communities that the account moderates cannot be read."),
)
TIKTOK = (  # networks/tiktok/sign_in.py: Profile.limits["missing"]
    gettext_noop("Posts cannot be found again and have no numbers: connect again and leave your videos ticked."),
    gettext_noop("There are no numbers of the account: connect again and leave statistics ticked."),
    gettext_noop("Comments cannot be read: connect again and leave comments ticked."),
    gettext_noop("Comments cannot be answered: connect again and leave managing comments ticked."),
)
X = (  # networks/x/sign_in.py: Profile.limits["missing"]
    gettext_noop("Nothing can be published: give your app at X the right to write, and connect again."),
    gettext_noop("No pictures or videos can be published: connect again with all permissions."),
    gettext_noop("Replies cannot be hidden: connect again with all permissions."),
    gettext_noop("Direct messages cannot be read: give your app at X the right to direct messages, and connect again."),
    gettext_noop("Direct messages cannot be answered: give your app at X the right to them, and connect again."),
    gettext_noop("The connection ends in two hours: connect again with all permissions."),
)
YOUTUBE = (  # networks/youtube/sign_in.py: Profile.limits["missing"]
    gettext_noop(
        "Nothing can be published, and comments can be neither read nor answered: connect again and leave the "
        "management of videos and comments ticked."
    ),
    gettext_noop("There are no watch times and no shares: connect again and leave the reports ticked."),
)
THREADS = (  # networks/threads/sign_in.py: Profile.limits["missing"]
    gettext_noop("Replies cannot be read: connect again and leave replies ticked."),
    gettext_noop("Replies can be neither answered nor hidden: connect again and leave replies ticked."),
    gettext_noop("Mentions cannot be read: connect again and leave mentions ticked."),
    gettext_noop("There are no numbers: connect again and leave insights ticked."),
    gettext_noop("Posts cannot be deleted: connect again and leave deleting ticked."),
)
