"""The entities as the API shows them. Source: docs.joinmastodon.org/entities, API 4.7."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from regie_sandbox.mastodon import rules
from regie_sandbox.mastodon.markup import as_html
from regie_sandbox.mastodon.rules import iso
from regie_sandbox.mastodon.state import App, Media, Notification, Person, Poll, State, Status

Shown = dict[str, Any]


class Shows:
    """Makes JSON of what the server remembers. ``base`` is the server's own address."""

    def __init__(self, state: State, base: str) -> None:
        self.state, self.base = state, base

    @property
    def domain(self) -> str:
        return self.base.split("://", 1)[-1]

    def account(self, person: Person) -> Shown:
        picture = f"{self.base}/avatars/{person.id}.png"
        last = self.state.statuses.get(person.statuses[-1]) if person.statuses else None
        return {
            "id": person.id,
            "username": person.username,
            "acct": person.username,
            "display_name": person.display_name,
            "locked": False,
            "bot": False,
            "discoverable": True,
            "indexable": True,
            "group": False,
            "created_at": iso(person.created_at.replace(hour=0, minute=0, second=0, microsecond=0)),
            "note": "",
            "url": f"{self.base}/@{person.username}",
            "uri": f"{self.base}/users/{person.username}",
            "avatar": picture,
            "avatar_static": picture,
            "header": picture,
            "header_static": picture,
            "followers_count": len(person.followers),
            "following_count": len(person.following),
            "statuses_count": len(person.statuses),
            "last_status_at": f"{last.created_at:%Y-%m-%d}" if last else None,
            "hide_collections": None,
            "noindex": False,
            "emojis": [],
            "roles": [],
            "fields": [],
        }

    def own_account(self, person: Person) -> Shown:
        source = {
            "privacy": "public",
            "sensitive": False,
            "language": None,
            "note": "",
            "fields": [],
            "follow_requests_count": 0,
            "hide_collections": None,
            "discoverable": True,
            "indexable": True,
            "attribution_domains": [],
        }
        role = {"id": "-99", "name": "", "color": "", "permissions": "65536", "highlighted": False}
        return {**self.account(person), "source": source, "role": role}

    def status(self, status: Status, viewer: str | None, now: datetime) -> Shown:
        people = self.state.people
        reblog = self.state.statuses.get(status.reblog_of_id) if status.reblog_of_id else None
        uri = f"{self.base}/users/{people[status.account_id].username}/statuses/{status.id}"
        app = self.state.apps.get(status.client_id)
        return {
            "id": status.id,
            "created_at": iso(status.created_at),
            "in_reply_to_id": status.in_reply_to_id,
            "in_reply_to_account_id": status.in_reply_to_account_id,
            "sensitive": status.sensitive,
            "spoiler_text": status.spoiler_text,
            "visibility": status.visibility,
            "language": status.language,
            "uri": uri,
            "url": f"{self.base}/@{people[status.account_id].username}/{status.id}",
            "replies_count": len(status.replies),
            "reblogs_count": len(status.reblogged_by),
            "favourites_count": len(status.favourited_by),
            "quotes_count": status.quotes,
            "edited_at": iso(status.edited_at) if status.edited_at else None,
            "favourited": viewer in status.favourited_by,
            "reblogged": viewer in status.reblogged_by,
            "muted": False,
            "bookmarked": False,
            "content": self.html(status),
            "filtered": [],
            "reblog": self.status(reblog, viewer, now) if reblog else None,
            "application": {"name": app.name, "website": app.website} if app else None,
            "account": self.account(people[status.account_id]),
            "media_attachments": [self.media(self.state.media[one], now) for one in status.media_ids],
            "mentions": [self.mention(people[one]) for one in status.mentions],
            "tags": [],
            "emojis": [],
            "card": None,
            "poll": self.poll(status.poll, viewer, now) if status.poll else None,
            "quote": None,
            "quote_approval": {"automatic": ["public"], "manual": [], "current_user": "automatic"},
        }

    def html(self, status: Status) -> str:
        known = {self.state.people[one].username.lower(): self.state.people[one].username for one in status.mentions}
        return as_html(status.text, base=self.base, known=known)

    def mention(self, person: Person) -> Shown:
        url = f"{self.base}/@{person.username}"
        return {"id": person.id, "username": person.username, "url": url, "acct": person.username}

    def media(self, media: Media, now: datetime) -> Shown:
        ready = media.ready_at <= now
        return {
            "id": media.id,
            "type": media.content_type.partition("/")[0],
            "url": f"{self.base}/media/{media.id}" if ready else None,
            "preview_url": f"{self.base}/media/{media.id}" if ready else None,
            "remote_url": None,
            "meta": {
                "original": {
                    "width": media.width,
                    "height": media.height,
                    "size": f"{media.width}x{media.height}",
                    "aspect": media.width / max(1, media.height),
                },
                "focus": {"x": media.focus[0], "y": media.focus[1]},
            },
            "description": media.description,
            "blurhash": None,
        }

    def poll(self, poll: Poll, viewer: str | None, now: datetime) -> Shown:
        expired = poll.expires_at <= now
        hidden = poll.hide_totals and not expired
        return {
            "id": poll.id,
            "expires_at": iso(poll.expires_at),
            "expired": expired,
            "multiple": poll.multiple,
            "votes_count": sum(poll.votes),
            "voters_count": len(poll.voters),
            "voted": viewer in poll.voters,
            "own_votes": poll.voters.get(viewer or "", []),
            "options": [
                {"title": title, "votes_count": None if hidden else votes}
                for title, votes in zip(poll.options, poll.votes, strict=True)
            ],
            "emojis": [],
        }

    def notification(self, one: Notification, viewer: str, now: datetime) -> Shown:
        status = self.state.statuses.get(one.status_id) if one.status_id else None
        shown = {
            "id": one.id,
            "type": one.type,
            "created_at": iso(one.created_at),
            "group_key": f"ungrouped-{one.id}",
            "account": self.account(self.state.people[one.account_id]),
        }
        return {**shown, "status": self.status(status, viewer, now)} if status else shown

    def application(self, app: App) -> Shown:
        return {
            "id": app.id,
            "name": app.name,
            "website": app.website,
            "scopes": app.scopes.split(),
            "redirect_uris": app.redirect_uris,
            "redirect_uri": "\n".join(app.redirect_uris),
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "client_secret_expires_at": 0,
            "vapid_key": "BCk-QqERU0q-CfYZjcuB6lnyyOYfJ2AifKqfeGIm7Z-HiTU5T9eTG5GxVA0_OH5mMlI4UkkDTpaZwozy0TzdZ2M=",
        }

    def configuration(self) -> Shown:
        return {
            "accounts": {"max_featured_tags": 10, "max_pinned_statuses": 5},
            "statuses": {
                "max_characters": rules.MOST_CHARACTERS,
                "max_media_attachments": rules.MOST_MEDIA,
                "characters_reserved_per_url": 23,
            },
            "media_attachments": {
                "supported_mime_types": [*rules.IMAGE_TYPES, *rules.VIDEO_TYPES, *rules.AUDIO_TYPES],
                "description_limit": rules.LONGEST_ALT,
                "image_size_limit": rules.LARGEST_IMAGE,
                "image_matrix_limit": rules.MOST_PIXELS,
                "video_size_limit": rules.LARGEST_VIDEO,
                "video_frame_rate_limit": 120,
                "video_matrix_limit": rules.MOST_VIDEO_PIXELS,
            },
            "polls": {
                "max_options": rules.MOST_OPTIONS,
                "max_characters_per_option": rules.LONGEST_OPTION,
                "min_expiration": rules.SHORTEST_POLL,
                "max_expiration": rules.LONGEST_POLL,
            },
        }

    def instance(self) -> Shown:
        streaming = {"streaming": self.base.replace("http", "ws", 1)}
        return {
            "domain": self.domain,
            "title": "Sandbox",
            "version": VERSION,
            "source_url": "https://github.com/mastodon/mastodon",
            "description": "A Mastodon server to practise on.",
            "usage": {"users": {"active_month": len(self.state.people)}},
            "thumbnail": {"url": f"{self.base}/avatars/0.png"},
            "icon": [],
            "languages": ["en"],
            "configuration": {
                **self.configuration(),
                "urls": streaming,
                "translation": {"enabled": False},
                "vapid": {"public_key": ""},
            },
            "registrations": {"enabled": False, "approval_required": False, "message": None, "url": None},
            "api_versions": {"mastodon": 7},
            "contact": {"email": "nobody@sandbox.example", "account": None},
            "rules": [],
        }

    def instance_v1(self) -> Shown:
        stats = {"user_count": len(self.state.people), "status_count": len(self.state.statuses), "domain_count": 1}
        return {
            "uri": self.domain,
            "title": "Sandbox",
            "short_description": "A Mastodon server to practise on.",
            "description": "",
            "email": "nobody@sandbox.example",
            "version": VERSION,
            "urls": {"streaming_api": self.base.replace("http", "ws", 1)},
            "stats": stats,
            "thumbnail": f"{self.base}/avatars/0.png",
            "languages": ["en"],
            "registrations": False,
            "approval_required": False,
            "invites_enabled": False,
            "configuration": self.configuration(),
            "contact_account": None,
            "rules": [],
        }

    def many(self, statuses: Sequence[Status], viewer: str | None, now: datetime) -> list[Shown]:
        return [self.status(status, viewer, now) for status in statuses]


VERSION = "4.5.2"
