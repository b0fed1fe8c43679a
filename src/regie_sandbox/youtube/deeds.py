"""What can be done through the Data API. Limits and refusals in the vendor's words, as its reference lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from regie_sandbox.google.wire import Json, Trouble
from regie_sandbox.youtube.shown import CATEGORIES, NOT_ASSIGNABLE, category, uploads_of
from regie_sandbox.youtube.state import HELD, Caption, Comment, Entry, Playlist, Video
from regie_sandbox.youtube.wire import CAPTION, READ, TALK, WRITE, Call, not_there, page_of

if TYPE_CHECKING:
    from regie_sandbox.youtube.app import YouTube

TITLE, DESCRIPTION, TAGS, COMMENT = 100, 5000, 500, 10_000
PRIVACY = ("public", "unlisted", "private")
LICENSES = ("youtube", "creativeCommon")
Deed = Callable[[Call], Json | None]
COSTS = {  # units; the rest costs one. Source: the vendor's quota calculator
    "PUT videos": 50, "DELETE videos": 50, "POST thumbnails/set": 50, "POST captions": 400, "GET captions": 50,
    "DELETE captions": 50, "POST playlists": 50, "POST playlistItems": 50, "DELETE playlistItems": 50,
    "POST commentThreads": 50, "POST comments": 50, "PUT comments": 50, "DELETE comments": 50,
    "POST comments/setModerationStatus": 50,
}  # fmt: skip


class Does:
    def __init__(self, net: YouTube) -> None:
        self.net, self.state, self.shown = net, net.state, net.shown

    def all(self) -> Mapping[tuple[str, str], Deed]:
        return {
            ("GET", "videos"): self.videos,
            ("PUT", "videos"): self.update_video,
            ("DELETE", "videos"): self.delete_video,
            ("GET", "channels"): self.channels,
            ("GET", "videoCategories"): self.categories,
            ("GET", "playlists"): self.playlists,
            ("POST", "playlists"): self.make_playlist,
            ("GET", "playlistItems"): self.entries,
            ("POST", "playlistItems"): self.add_entry,
            ("DELETE", "playlistItems"): self.delete_entry,
            ("GET", "captions"): self.captions,
            ("DELETE", "captions"): self.delete_caption,
            ("GET", "commentThreads"): self.threads,
            ("POST", "commentThreads"): self.start_thread,
            ("GET", "comments"): self.comments,
            ("POST", "comments"): self.answer,
            ("PUT", "comments"): self.change_comment,
            ("DELETE", "comments"): self.delete_comment,
            ("POST", "comments/setModerationStatus"): self.moderate,
        }

    # Videos

    def videos(self, call: Call) -> Json:
        call.must(READ)
        parts = call.part(list(self.shown.video_parts))
        if not call.params.get("id"):
            raise Trouble(400, "missingRequiredParameter", "No filter selected.", domain="youtube.parameter")
        ids = call.ids()
        if len(ids) > 50:
            raise Trouble(400, "invalidFilters", "The request specifies an invalid filter parameter.")
        found = [
            video for one in ids if (video := self.state.videos.get(one)) is not None and self._may_see(call, video)
        ]
        for part in ("processingDetails", "fileDetails"):
            if part in parts and any(video.channel != call.channel for video in found):
                raise Trouble(403, "forbidden", f"The {part} part is not available for this video.")
        some, body = page_of(call, "youtube#videoListResponse", found, most=50, default=50)
        return {**body, "items": [self.shown.video(video, parts) for video in some]}

    def _may_see(self, call: Call, video: Video) -> bool:
        return video.privacy != "private" or video.channel == call.channel

    def fill_in(self, video: Video, said: Mapping[str, Any], parts: list[str]) -> None:
        """What a request says of a video: a part that is named replaces all of what it holds."""
        for part, fill in (
            ("snippet", self._fill_snippet),
            ("status", self._fill_status),
            ("paidProductPlacementDetails", self._fill_paid),
        ):
            if part in parts:
                fill(video, dict(said.get(part) or {}))

    def _fill_snippet(self, video: Video, said: dict[str, Any]) -> None:
        title, description = str(said.get("title", "")), str(said.get("description", ""))
        if not title or len(title) > TITLE or _has_angles(title):
            raise Trouble(400, "invalidTitle", "The request metadata specifies an invalid or empty video title.")
        if len(description.encode()) > DESCRIPTION or _has_angles(description):
            raise Trouble(400, "invalidDescription", "The request metadata specifies an invalid video description.")
        tags = [str(one) for one in said.get("tags") or ()]
        if _length_of(tags) > TAGS or any(_has_angles(tag) for tag in tags):
            raise Trouble(400, "invalidTags", "The request metadata specifies invalid video keywords.")
        number = str(said.get("categoryId", ""))
        if number not in CATEGORIES:
            raise Trouble(400, "invalidCategoryId", "The snippet.categoryId property specifies an invalid category ID.")
        video.title, video.description = title, self.net.faults.rewritten(description)
        video.tags, video.category = tags, number
        video.language = str(said.get("defaultLanguage", ""))
        video.audio_language = str(said.get("defaultAudioLanguage", ""))

    def _fill_status(self, video: Video, said: dict[str, Any]) -> None:
        privacy, license_ = str(said.get("privacyStatus", "public")), str(said.get("license", "youtube"))
        if privacy not in PRIVACY or license_ not in LICENSES:
            raise Trouble(400, "invalidVideoMetadata", "The request metadata is invalid.")
        if said.get("publishAt") and privacy != "private":
            raise Trouble(
                400, "invalidPublishAt", "The request metadata specifies an invalid scheduled publishing time."
            )
        video.privacy, video.license, video.publish_at = privacy, license_, str(said.get("publishAt", ""))
        video.embeddable = bool(said.get("embeddable", True))
        video.public_stats = bool(said.get("publicStatsViewable", True))
        video.kids, video.synthetic = (
            bool(said.get("selfDeclaredMadeForKids")),
            bool(said.get("containsSyntheticMedia")),
        )

    def _fill_paid(self, video: Video, said: dict[str, Any]) -> None:
        video.paid = bool(said.get("hasPaidProductPlacement"))

    def own_video(self, call: Call, video_id: str) -> Video:
        video = self.state.videos.get(video_id)
        if video is None or (video.privacy == "private" and video.channel != call.channel):
            raise not_there("videoNotFound", "The video that you are trying to reach cannot be found.")
        if video.channel != call.channel:
            raise Trouble(403, "forbidden", "The video could not be reached with these permissions.")
        return video

    def update_video(self, call: Call) -> Json:
        call.must(WRITE)
        parts = call.part(["id", "snippet", "status", "paidProductPlacementDetails", "localizations"])
        if not call.body.get("id"):
            raise Trouble(400, "required", "Required", domain="global")
        video = self.own_video(call, str(call.body["id"]))
        before, words = video.privacy, (video.title, video.description)
        self.fill_in(video, call.body, parts)
        answer = self.shown.video(video, [one for one in parts if one != "localizations"])
        self.net.now_visible(video, before)
        if before != "private" and video.privacy != "private" and (video.title, video.description) != words:
            self.net.note(video.channel, video.id, video.description, "edit")
            self.net.hub.tell(video)
        return answer  # an unverified app is told yes, and the video is locked right after

    def delete_video(self, call: Call) -> None:
        call.must(WRITE)
        video = self.own_video(call, call.given("id"))
        self.net.remove_video(video)
        if video.public_at is not None:
            self.net.note(video.channel, video.id, "", "delete")

    # Channels, categories, playlists

    def channels(self, call: Call) -> Json:
        call.must(READ)
        parts = call.part(list(self.shown.channel_parts))
        if call.params.get("mine") == "true":
            found = [self.state.channels[call.channel]] if call.channel in self.state.channels else []
        elif call.params.get("id"):
            found = [self.state.channels[one] for one in call.ids() if one in self.state.channels]
        else:
            raise Trouble(400, "missingRequiredParameter", "No filter selected.", domain="youtube.parameter")
        some, body = page_of(call, "youtube#channelListResponse", found, most=50)
        return {**body, **({"items": [self.shown.channel(one, parts) for one in some]} if some else {})}

    def categories(self, call: Call) -> Json:
        call.must(READ)
        call.part(["snippet"])
        rows = [category(number) for number in sorted({**CATEGORIES, **NOT_ASSIGNABLE}, key=int)]
        return {"kind": "youtube#videoCategoryListResponse", "etag": "e", "items": rows}

    def playlists(self, call: Call) -> Json:
        call.must(READ)
        parts = call.part(list(self.shown.playlist_parts))
        owner = call.channel if call.params.get("mine") == "true" else call.params.get("channelId", "")
        names = self.state.channels[owner].playlists if owner in self.state.channels else call.ids()
        found = [self.state.playlists[one] for one in names if one in self.state.playlists]
        some, body = page_of(call, "youtube#playlistListResponse", found, most=50)
        return {**body, "items": [self.shown.playlist(one, parts) for one in some]}

    def make_playlist(self, call: Call) -> Json:
        call.must(WRITE)
        parts = call.part(list(self.shown.playlist_parts))
        title = str((call.body.get("snippet") or {}).get("title", ""))
        if not title:
            raise Trouble(400, "playlistTitleRequired", "The request must specify a playlist title.")
        return self.shown.playlist(self.net.playlist(call.channel, title), parts)

    def entries(self, call: Call) -> Json:
        """Newest first in the playlist of all videos, which others see without the private ones."""
        call.must(READ)
        parts = call.part(list(self.shown.entry_parts))
        if not call.params.get("playlistId"):
            raise Trouble(400, "missingRequiredParameter", "No filter selected.", domain="youtube.parameter")
        name = call.params["playlistId"]
        rows = self._uploads(call, name) if name.startswith("UU") else self._playlist(call, name).entries
        wanted = call.params.get("videoId")
        found = [one for one in rows if not wanted or one.video == wanted]
        some, body = page_of(call, "youtube#playlistItemListResponse", found, most=50)
        return {**body, "items": [self.shown.entry(name, one, parts) for one in some]}

    def _uploads(self, call: Call, name: str) -> list[Entry]:
        for channel in self.state.channels.values():
            if uploads_of(channel) == name:
                videos = [self.state.videos[one] for one in channel.videos]
                seen = [video for video in videos if self._may_see(call, video) and self.net.listed(video)]
                seen.sort(key=_public_or_made, reverse=True)
                return [Entry(f"UE{video.id}", video.id, video.made_at) for video in seen]
        raise not_there("playlistNotFound", "The playlist identified with the request's playlistId cannot be found.")

    def _playlist(self, call: Call, name: str) -> Playlist:
        playlist = self.state.playlists.get(name)
        if playlist is None or (playlist.privacy == "private" and playlist.channel != call.channel):
            raise not_there(
                "playlistNotFound", "The playlist identified with the request's playlistId cannot be found."
            )
        return playlist

    def add_entry(self, call: Call) -> Json:
        call.must(WRITE)
        parts = call.part(list(self.shown.entry_parts))
        snippet = call.body.get("snippet") or {}
        playlist = self._playlist(call, str(snippet.get("playlistId", "")))
        if playlist.channel != call.channel:
            raise Trouble(403, "playlistItemsNotAccessible", "The request is not properly authorized to add the item.")
        video = str((snippet.get("resourceId") or {}).get("videoId", ""))
        if video not in self.state.videos:
            raise not_there("videoNotFound", "The video that you are trying to add to the playlist cannot be found.")
        entry = Entry(f"PLI{self.net.new_id(16)}", video, self.net.now())
        playlist.entries.append(entry)
        return self.shown.entry(playlist.id, entry, parts)

    def delete_entry(self, call: Call) -> None:
        call.must(WRITE)
        wanted = call.given("id")
        for playlist in self.state.playlists.values():
            if playlist.channel == call.channel and any(one.id == wanted for one in playlist.entries):
                playlist.entries = [one for one in playlist.entries if one.id != wanted]
                return
        raise not_there("playlistItemNotFound", "The playlist item identified with the request's id cannot be found.")

    # Captions: they arrive through the host for uploads

    def captions(self, call: Call) -> Json:
        call.must(CAPTION)
        call.part(["id", "snippet"])
        video = self.own_video(call, call.given("videoId"))
        rows = [self.shown.caption(self.state.captions[one]) for one in video.captions]
        return {"kind": "youtube#captionListResponse", "etag": "e", "items": rows}

    def add_caption(self, call: Call, said: Mapping[str, Any], content: bytes) -> Json:
        snippet = dict(said.get("snippet") or {})
        video = self.own_video(call, str(snippet.get("videoId", "")))
        language, name = str(snippet.get("language", "")), str(snippet.get("name", ""))
        if not language or "name" not in snippet:
            raise Trouble(400, "invalidMetadata", "The request contains invalid metadata values.")
        if not content:
            raise Trouble(400, "contentRequired", "The request does not include the caption track contents.")
        there = [self.state.captions[one] for one in video.captions]
        if any((one.language, one.name) == (language, name) for one in there):
            raise Trouble(409, "captionExists", "The specified video already has a caption track with this name.")
        made = Caption(f"AUieDa{self.net.new_id(16)}", video.id, language, name, self.net.now())
        self.state.captions[made.id] = made
        video.captions.append(made.id)
        self.net.world.files.put(f"youtube-caption-{made.id}", content)
        return self.shown.caption(made)

    def delete_caption(self, call: Call) -> None:
        call.must(CAPTION)
        caption = self.state.captions.get(call.given("id"))
        if caption is None:
            raise not_there("captionNotFound", "The caption track could not be found.")
        self.own_video(call, caption.video).captions.remove(caption.id)
        del self.state.captions[caption.id]

    # Comments

    def threads(self, call: Call) -> Json:
        call.must(TALK)
        parts = call.part(["id", "snippet", "replies"])
        if (channel := call.params.get("allThreadsRelatedToChannelId")) is not None:
            if channel not in self.state.channels:
                raise not_there("channelNotFound", "The channel specified in the channelId parameter cannot be found.")
            videos = [self.state.videos[one] for one in self.state.channels[channel].videos]
        elif call.params.get("videoId"):
            videos = [self._open_video(call.params["videoId"])]
        else:
            raise Trouble(400, "missingRequiredParameter", "No filter selected.", domain="youtube.parameter")
        status = call.params.get("moderationStatus", "published")
        if status not in ("published", HELD, "likelySpam"):
            raise Trouble(400, "invalidParameter", f"Invalid value '{status}' for moderationStatus.")
        if status != "published" and any(video.channel != call.channel for video in videos):
            said = "One or more of the requested comment threads cannot be retrieved due to insufficient permissions."
            raise Trouble(403, "forbidden", said, domain="youtube.commentThread")
        rows = [self.state.comments[one] for video in videos for one in video.comments]
        tops = [one for one in rows if not one.parent and self._is_in(one, status)]
        tops.sort(key=lambda one: (one.made_at, one.id), reverse=True)
        some, body = page_of(call, "youtube#commentThreadListResponse", tops, most=100, default=20)
        held = status == HELD
        return {**body, "items": [self.shown.thread(one, parts, call.channel, held=held) for one in some]}

    def _is_in(self, top: Comment, status: str) -> bool:
        """A thread waits for review also when only an answer in it does."""
        replies = (self.state.comments[one] for one in top.replies)
        return top.status == status or (status == HELD and any(one.status == HELD for one in replies))

    def _open_video(self, video_id: str) -> Video:
        video = self.state.videos.get(video_id)
        if video is None:
            raise not_there("videoNotFound", "The video identified by the videoId parameter could not be found.")
        if video.comments_off or video.kids or video.privacy == "private":
            said = "The video identified by the videoId parameter has disabled comments."
            raise Trouble(403, "commentsDisabled", said, domain="youtube.commentThread")
        return video

    def start_thread(self, call: Call) -> Json:
        call.must(TALK)
        parts = call.part(["id", "snippet", "replies"])
        snippet = call.body.get("snippet") or {}
        top = ((snippet.get("topLevelComment") or {}).get("snippet")) or {}
        if not snippet.get("videoId"):
            said = "Each comment thread must be linked to a video."
            raise Trouble(400, "channelOrVideoIdMissing", said, domain="youtube.commentThread")
        video = self._open_video(str(snippet["videoId"]))
        comment = self.net.comment(video, call.channel, _words(top.get("textOriginal")))
        return self.shown.thread(comment, parts, call.channel)

    def comments(self, call: Call) -> Json:
        call.must(TALK)
        call.part(["id", "snippet"])
        if call.params.get("parentId"):
            top = self._comment(call.params["parentId"])
            rows = [self.state.comments[one] for one in top.replies]
        else:
            rows = [self.state.comments[one] for one in call.ids() if one in self.state.comments]
        shown = [one for one in rows if not one.hidden]
        some, body = page_of(call, "youtube#commentListResponse", shown, most=100, default=20)
        return {**body, "items": [self.shown.comment(one, call.channel) for one in some]}

    def _comment(self, comment_id: str) -> Comment:
        comment = self.state.comments.get(comment_id)
        if comment is None:
            said = "One or more of the specified comments cannot be found."
            raise Trouble(404, "commentNotFound", said, domain="youtube.comment")
        return comment

    def answer(self, call: Call) -> Json:
        call.must(TALK)
        call.part(["id", "snippet"])
        snippet = call.body.get("snippet") or {}
        if not snippet.get("parentId"):
            raise Trouble(400, "parentCommentIdMissing", "Each comment must be linked to a parent comment.")
        top = self._comment(str(snippet["parentId"]))
        if top.parent:
            raise Trouble(
                400, "operationNotSupported", "The API user is not able to insert a comment in reply to this."
            )
        self._open_video(top.video)
        made = self.net.comment(
            self.state.videos[top.video], call.channel, _words(snippet.get("textOriginal")), parent=top
        )
        return self.shown.comment(made, call.channel)

    def _own_comment(self, call: Call, comment_id: str) -> Comment:
        comment = self._comment(comment_id)
        if comment.by != call.channel:
            raise Trouble(403, "forbidden", "The comment could not be changed due to insufficient permissions.")
        return comment

    def change_comment(self, call: Call) -> Json:
        call.must(TALK)
        call.part(["id", "snippet"])
        comment = self._own_comment(call, str(call.body.get("id", "")))
        comment.text = _words((call.body.get("snippet") or {}).get("textOriginal"))
        self.net.note(comment.by, comment.id, comment.text, "edit")
        return self.shown.comment(comment, call.channel)

    def delete_comment(self, call: Call) -> None:
        call.must(TALK)
        comment = self._own_comment(call, call.given("id"))
        self.net.remove_comment(comment)
        self.net.note(comment.by, comment.id, "", "delete")

    def moderate(self, call: Call) -> None:
        call.must(TALK)
        status = call.given("moderationStatus")
        if status not in (HELD, "published", "rejected"):
            said = "The API user is not able to apply the requested moderation status."
            raise Trouble(400, "operationNotSupported", said, domain="youtube.comment")
        call.given("id")
        for one in call.ids():
            comment = self._comment(one)
            if self.state.videos[comment.video].channel != call.channel:
                raise Trouble(403, "forbidden", "The comment could not be moderated due to insufficient permissions.")
            if status == "rejected" and comment.status != status:
                self.net.note(call.channel, comment.id, "", "delete")
            comment.status = status


def _words(text: Any) -> str:
    said = str(text or "")
    if not said.strip():
        raise Trouble(400, "commentTextRequired", "The comment resource must specify a value for textOriginal.")
    if len(said) > COMMENT:
        raise Trouble(
            400, "commentTextTooLong", "The comment resource that is being inserted contains too many characters."
        )
    return said


def _has_angles(text: str) -> bool:
    return "<" in text or ">" in text


def _length_of(tags: list[str]) -> int:
    """As the vendor counts: commas between, quotation marks around a tag that holds a space."""
    return sum(len(tag) + 2 * (" " in tag) for tag in tags) + max(0, len(tags) - 1)


def _public_or_made(video: Video) -> datetime:
    return video.public_at or video.made_at
