"""What a person has to do at each vendor before an account can be connected, with the exact addresses to copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from regie.accounts.forms import LOGINS
from regie.accounts.hooks import app_webhook, brings_for_app, verify_token
from regie.accounts.services import logins_of
from regie.accounts.sign_in import redirect_uri
from regie.networks import registry
from regie.networks.capabilities import Permit, SignIn
from regie.networks.protocols import AnswersChallenges, EntersWebhook, ReceivesWebhooks

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Guide:
    """``create``: what to make at the vendor beforehand; ``steps`` to follow in order; ``works``: what can be done
    before any review; ``addresses`` to copy, by name; ``permissions`` that the app asks people for, by login ("" where
    there is one only), or by what the operator may switch on for it; ``beware``: what is different with this
    installation as it is."""

    slug: str
    name: str
    summary: Words
    create: Words
    steps: tuple[Words, ...]
    works: Words
    addresses: tuple[tuple[Words, str], ...] = field(default=())
    permissions: tuple[tuple[Words, tuple[str, ...]], ...] = field(default=())
    beware: Words = ""


_SUMMARY: dict[str, Words] = {
    "mastodon": _("Any server that speaks Mastodon's API: Mastodon, Pleroma, Akkoma, GoToSocial, snac."),
    "bluesky": _("An account on Bluesky, or on a server of your own."),
    "telegram": _("A channel or a group, through a bot of yours."),
    "facebook": _("A Page: posts, photos, videos, Reels, stories, comments, messages."),
    "instagram": _(
        "A professional account (business or creator): pictures, carousels, Reels, stories, comments, messages."
    ),
    "pinterest": _("An account with its boards: Pins with a picture, with several, or with a video."),
    "tiktok": _("An account: videos and photos; as a business account its comments, too."),
    "x": _("An account on X: posts, threads, pictures, videos, polls, replies, direct messages."),
    "linkedin": _("A Page of an organization, or a member: posts, pictures, videos, documents, polls, comments."),
    "youtube": _("A channel: videos and Shorts with cover, subtitles and playlist, comments, watch times."),
    "google_business": _(
        "A place of business: news, events and offers in Google Search and Maps, reviews and answers, numbers."
    ),
    "reddit": _("An account: texts, links, pictures, videos and polls for communities and its own profile, comments."),
    "vk": _("A community: its wall, stories, comments and messages."),
    "threads": _("An account: posts, threads, pictures, videos, carousels, polls, replies, mentions."),
}
_CREATE: dict[str, Words] = {
    "mastodon": _("Nothing: Régie registers itself on each server at the first sign-in there."),
    "bluesky": _("Nothing: Bluesky reads who we are at the client address below."),
    "telegram": _("A bot: @BotFather in Telegram makes one in a minute. Each client may have its own."),
    "facebook": _(
        "An app at developers.facebook.com, of the type Business, once for the whole installation, with the product "
        "Facebook Login for Business. Enter its keys here."
    ),
    "instagram": _(
        "An app at developers.facebook.com, of the type Business, once for the whole installation. For Instagram's own "
        "login add the product Instagram; for Facebook's login add Facebook Login for Business. Enter its keys here."
    ),
    "pinterest": _(
        "An app at developers.pinterest.com, made with a business account, once for the whole installation. Enter its "
        "keys here: in the form of the access that Pinterest gave it."
    ),
    "tiktok": _(
        "An app at developers.tiktok.com, once for the whole installation, with the products Login Kit and Content "
        "Posting API (Direct Post switched on), the permissions user.info.basic, user.info.profile, user.info.stats, "
        "video.list and video.publish, and the domain of Régie among its URL properties. For comments: an app at "
        "business-api.tiktok.com with the permission TikTok Accounts. Enter the keys of either here."
    ),
    "x": _(
        "A developer account and an app at console.x.com, once for the whole installation, and some credit: X takes "
        "money for each call. In the app's authentication settings choose the permissions Read, write and direct "
        "messages, and the type Web app; enter its OAuth 2.0 client ID and client secret here."
    ),
    "linkedin": _(
        "An app at linkedin.com/developers, verified by your Page, once for the whole installation. For Pages: an app "
        "with the product Community Management and no other. For your own profile alone: an app with Share on LinkedIn "
        "and Sign In with LinkedIn. Enter its keys here."
    ),
    "youtube": _(
        "A project at console.cloud.google.com, once for the whole installation, with the YouTube Data API v3 and the "
        "YouTube Analytics API switched on, and in it an OAuth client of the type Web application. Enter its keys here."
    ),
    "google_business": _(
        "A project at console.cloud.google.com, once for the whole installation, to which Google gave access to the "
        "Business Profile APIs: ask for it with the form at developers.google.com/my-business, which takes days. Then "
        "switch on the Google My Business API and the Business Profile APIs named Account Management, Business "
        "Information and Performance, and make an OAuth client of the type Web application. Enter its keys here."
    ),
    "reddit": _(
        "An app at reddit.com/prefs/apps, of the type web app, once for the whole installation, with the redirect "
        "address below; Reddit may ask you to apply for access to its Data API first. Its client ID stands under its "
        "name: enter it here with the secret."
    ),
    "vk": _(
        "Nothing for the installation. Each community has a key of its own; for more than texts VK also wants the key "
        "of somebody who administers it."
    ),
    "threads": _(
        "An app at developers.facebook.com with the use case Access the Threads API, once for the whole installation. "
        "It has two IDs: enter the Threads app ID and the Threads app secret here, not those of the Meta app around it."
    ),
}
_STEPS: dict[str, tuple[Words, ...]] = {
    "mastodon": (
        _("Name the server the account lives on. Régie registers itself there: you create nothing."),
        _("On the server's own page, check which account is signed in, and authorise Régie."),
    ),
    "bluesky": (
        _("Type the handle. Bluesky's own page opens: sign in there and allow Régie."),
        _("Or make an app password in Bluesky (Settings, Privacy and security, App passwords) and paste it here."),
        _("To read and answer direct messages, tick the access to them when you make the app password."),
    ),
    "facebook": (
        _("On Facebook's page, sign in as somebody who manages the Page, and tick the Pages to give access to."),
        _("On the vendor's page, leave every permission ticked: what is left out cannot be done afterwards."),
        _("With several Pages, choose here which of them belong to this client."),
    ),
    "instagram": (
        _("Make sure that the account is a professional one: Instagram's settings, Account type and tools."),
        _("Choose how to sign in: on Instagram's own page, or through Facebook if a Page of yours is linked to it."),
        _(
            "To tag products of a shop, sign in through Facebook, as an administrator of the business that owns the "
            "shop, once whoever runs Régie has switched products on below the app's keys."
        ),
        _("On the vendor's page, leave every permission ticked: what is left out cannot be done afterwards."),
    ),
    "telegram": (
        _("In Telegram, write /newbot to @BotFather, choose a name, and copy the token it answers."),
        _("In your channel, open Administrators and add the bot, with the right to post, edit and delete messages."),
        _("To answer comments, add the bot to the channel's discussion group too, as an administrator."),
        _("To answer private messages to the channel, give the bot the right to manage direct messages as well."),
    ),
    "pinterest": (
        _("Choose how to sign in: with an app that has Standard access, or on trial access to try things out."),
        _("On Pinterest's page, sign in with the account that owns the boards, and give access."),
        _("To take the access back one day, disconnect the account here and remove the app in Pinterest's settings."),
    ),
    "tiktok": (
        _(
            "Choose how to sign in: only a business account's comments can be read and answered, and it posts in "
            "public."
        ),
        _("On TikTok's page, check which account is signed in: with several, sign out of the others first."),
        _("On the vendor's page, leave every permission ticked: what is left out cannot be done afterwards."),
        _("For each post choose who can see it, and agree to TikTok's terms: TikTok lets nobody choose this for you."),
        _("After it went out it may take some minutes until TikTok shows it, longer while it looks at it."),
    ),
    "x": (
        _("In your app at X, enter the redirect address below as its callback address."),
        _("In this browser, be signed in on X as the account to connect: X asks whoever is signed in there."),
        _("On X's page, authorise the app."),
    ),
    "linkedin": (
        _("Choose whether you connect Pages, or your own profile alone: each goes through an app of its own."),
        _("On LinkedIn's page, sign in as an administrator of the Page, and allow everything that is asked."),
        _("Choose here which Pages belong to this client, and whether you yourself do."),
        _("LinkedIn ends every sign-in after 60 days: you are told two weeks before, and connect again in a minute."),
    ),
    "youtube": (
        _("In your OAuth client at Google, enter the redirect address below as an authorised redirect URI."),
        _("On Google's page, sign in and choose the channel. Each channel, a brand's too, is connected by itself."),
        _("On the vendor's page, leave every permission ticked: what is left out cannot be done afterwards."),
        _("For covers and for videos of more than 15 minutes, confirm a telephone number at youtube.com/verify."),
    ),
    "google_business": (
        _("In your OAuth client at Google, enter the redirect address below as an authorised redirect URI."),
        _("On Google's page, sign in as an owner or a manager of the profile, and allow what is asked."),
        _("With several places, choose here which of them belong to this client."),
        _("Reviews can be read and answered once Google has verified the place."),
    ),
    "reddit": (
        _("In this browser, be signed in on Reddit as the account to connect: Reddit asks whoever is signed in there."),
        _("On Reddit's page, allow the app."),
        _("Read the rules of each community before you post there: many take no advertising, and ban accounts for it."),
    ),
    "vk": (
        _(
            "In the community's management, open API usage, Access tokens, and make one with every right that is "
            "offered."
        ),
        _("There too, under Messages, turn the community's messages on if you want to answer them."),
        _(
            "For pictures, videos, polls and numbers, paste beside it the key of an administrator, from an "
            "app to which VK's support gave the rights to the wall, photos, videos and statistics."
        ),
    ),
    "threads": (
        _("In your app at Meta, enter the redirect address below under Settings of the Threads use case."),
        _("In this browser, be signed in on Threads as the account to connect, and allow the app there."),
        _("To say places with posts, connect once whoever runs Régie has switched them on below the app's keys."),
        _("On the vendor's page, leave every permission ticked: what is left out cannot be done afterwards."),
    ),
}
_WORKS: dict[str, Words] = {
    "mastodon": _("Everything works at once: there is no review."),
    "bluesky": _(
        "Everything works at once: there is no review. Signing in on Bluesky's page needs a public https "
        "address of Régie (REGIE_URL), or Régie opened at 127.0.0.1."
    ),
    "facebook": _(
        "Before Meta's review everything works for people who have a role in your app, but what they publish is seen "
        "only by them. For everybody Meta reviews the app and your business (Advanced Access), which takes weeks."
    ),
    "instagram": _(
        "Before Meta's review everything works for accounts of people who have a role in your app: add them as "
        "testers. For accounts of others Meta reviews the app and your business (Advanced Access), which takes weeks."
    ),
    "telegram": _(
        "Everything works at once: there is no review. Telegram does not tell bots how often a post was seen."
    ),
    "pinterest": _(
        "On trial access Pins are made in Pinterest's Sandbox, where only you see them: without videos and numbers. "
        "For public Pins ask Pinterest for Standard access; it wants a film of your sign-in and of a Pin being "
        "published."
    ),
    "tiktok": _(
        "Before TikTok's audit of your app it publishes only for accounts that are set to private, for five of them a "
        "day, and only their owners see the posts. For public posts ask for the audit; tools that only your own team "
        "uses are not accepted. For business accounts TikTok reviews the app before it gives the permissions."
    ),
    "x": _(
        "There is no review. X takes money for what is published and read: 0.015 dollars for a post, 0.20 dollars for "
        "one with a link, a fraction of a cent to a cent for each message or number read. Apps that pay per use may "
        "answer only people who named or quoted the account, and may not like or quote; an Enterprise plan may."
    ),
    "linkedin": _(
        "Publishing on your own profile works at once, without a review. Pages, comments and numbers need the product "
        "Community Management: LinkedIn gives it to registered organizations, on request, first with 100 calls a day "
        "for each member, without a limit after a second review. It shows no app what stands on a member's profile."
    ),
    "youtube": _(
        "Until Google has audited your project (the YouTube API compliance audit), it keeps every video private: Régie "
        "uploads it and says so. While the project is in testing, each person has to be on its list of test users, and "
        "to connect again every seven days. A project has 100 uploads a day, for all channels together."
    ),
    "google_business": _(
        "Nothing works before Google has let your project use the APIs, on request, for a verified profile that has "
        "been there for 60 days; afterwards everything does. While the project is in testing, each person has to be "
        "on its list of test users, and to connect again every seven days. Pictures need a public address of Régie "
        "(REGIE_URL), where Google fetches them. What Google still looks at, or rejects, is said."
    ),
    "reddit": _(
        "Everything works at once: there is no review. Commercial use of Reddit's API wants Reddit's approval. What "
        "a community holds back until a moderator approves it is said, and not shown as published."
    ),
    "vk": _(
        "With the community's key alone: texts, links, documents, new comments and direct messages. VK gives "
        "administrators' keys that may publish only to apps that asked its support; keys of VK ID may publish nothing."
    ),
    "threads": _(
        "Before Meta's review everything works for accounts that are Threads testers of your app: add them there, and "
        "accept the invitation in Threads. For accounts of others Meta reviews the app and your business, which takes "
        "weeks."
    ),
}


def guide_for(slug: str) -> Guide:
    return Guide(
        slug=slug,
        name=registry.connector(slug).name,
        summary=_SUMMARY[slug],
        create=_CREATE[slug],
        steps=_STEPS[slug],
        works=_WORKS[slug],
        addresses=tuple(_addresses(slug)),
        permissions=tuple(_permissions(slug)),
        beware=_beware(slug),
    )


def _permissions(slug: str) -> Iterator[tuple[Words, tuple[str, ...]]]:
    asked: Mapping[str, tuple[str, ...]] = getattr(registry.connector(slug), "permissions", {})
    permits: tuple[Permit, ...] = getattr(registry.connector(slug), "permits", ())
    for word in logins_of(slug):
        yield LOGINS[word] if len(asked) > 1 else "", asked[word]
        for permit in permits:
            if permit.login == word:
                yield _(permit.label), permit.permissions


def _addresses(slug: str) -> Iterator[tuple[Words, str]]:
    can = registry.connector(slug)
    if SignIn.OAUTH in can.can.sign_in:
        yield _("Redirect address"), redirect_uri(slug)
    if slug == "bluesky" and _is_public():
        yield _("Client address"), f"{settings.PUBLIC_URL}/oauth/bluesky/client-metadata.json"
    if brings_for_app(slug) and _is_public():
        if issubclass(can, EntersWebhook):
            yield _("Webhook address, which Régie tells the network itself"), app_webhook(slug)
        else:
            yield _("Webhook address, to enter at the vendor"), app_webhook(slug)
        if not issubclass(can, AnswersChallenges):
            yield _("Verify token, to enter beside it"), verify_token(slug)
        if fields := getattr(can, "webhook_fields", ()):
            yield _("Webhook fields to subscribe to there"), ", ".join(fields)
    if issubclass(can, ReceivesWebhooks) and _is_public():
        yield _("Webhook addresses, which Régie tells the network itself"), f"{settings.PUBLIC_URL}/webhooks/{slug}/…/"


def _is_public() -> bool:
    """Whether networks can reach us: without a public https address they cannot."""
    return str(settings.PUBLIC_URL).startswith("https://")


def _beware(slug: str) -> Words:
    if _is_public():
        return ""
    if slug == "instagram":
        return _(
            "Régie has no public https address (REGIE_URL), so it asks for news instead of being told: that works, but "
            "comments under advertisements do not come, as Meta lists them nowhere and only brings them itself."
        )
    if brings_for_app(slug) or issubclass(registry.connector(slug), ReceivesWebhooks):
        return _(
            "Régie has no public https address (REGIE_URL), so it asks for news instead of being told: that works."
        )
    return ""


def guides() -> list[Guide]:
    return [guide_for(slug) for slug in registry.slugs()]
