"""How YouTube shows what it has, part by part. Source: the schemas of the discovery document, revision 20261104."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from regie_sandbox.google.wire import Json
from regie_sandbox.youtube.state import HELD, Caption, Channel, Comment, Entry, Playlist, Video

if TYPE_CHECKING:
    from regie_sandbox.youtube.app import YouTube

VIEWS = 9  # for one like
CATEGORIES = {
    "1": "Film & Animation", "2": "Autos & Vehicles", "10": "Music", "15": "Pets & Animals", "17": "Sports",
    "19": "Travel & Events", "20": "Gaming", "22": "People & Blogs", "23": "Comedy", "24": "Entertainment",
    "25": "News & Politics", "26": "Howto & Style", "27": "Education", "28": "Science & Technology",
    "29": "Nonprofits & Activism",
}  # fmt: skip
NOT_ASSIGNABLE = {"18": "Short Movies", "30": "Movies"}
Part = Callable[[Any], Json]


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def views(video: Video) -> int:
    return VIEWS * len(video.likes) + 4 * video.shares + 2 * len(video.comments)


class Shown:
    """One method for each kind; ``parts`` are those asked for."""

    def __init__(self, net: YouTube) -> None:
        self.net = net

    def _built(self, kind: str, id_: str, found: Any, parts: Sequence[str], known: Mapping[str, Part]) -> Json:
        body: Json = {"kind": f"youtube#{kind}", "etag": f"e{id_}", "id": id_}
        for part in parts:
            if part != "id":
                body[part] = known[part](found)
        return body

    def video(self, video: Video, parts: Sequence[str]) -> Json:
        return self._built("video", video.id, video, parts, self.video_parts)

    @property
    def video_parts(self) -> Mapping[str, Part]:
        return {
            "id": lambda video: {},
            "snippet": self._video_snippet,
            "status": self._video_status,
            "statistics": _statistics,
            "processingDetails": self._processing,
            "contentDetails": _content,
            "fileDetails": lambda video: {"fileSize": str(video.size), "fileType": "video"},
            "paidProductPlacementDetails": lambda video: {"hasPaidProductPlacement": video.paid},
        }

    def _video_snippet(self, video: Video) -> Json:
        body: Json = {
            "publishedAt": moment(video.public_at or video.made_at),
            "channelId": video.channel,
            "title": video.title,
            "description": video.description,
            "thumbnails": self.thumbnails(video),
            "channelTitle": self.net.state.channels[video.channel].name,
            "categoryId": video.category,
            "liveBroadcastContent": "none",
            "localized": {"title": video.title, "description": video.description},
        }
        if video.tags:
            body["tags"] = video.tags
        if video.language:
            body["defaultLanguage"] = video.language
        if video.audio_language:
            body["defaultAudioLanguage"] = video.audio_language
        return body

    def thumbnails(self, video: Video) -> Json:
        sizes = {"default": (120, 90), "medium": (320, 180), "high": (480, 360)}
        return {
            name: {"url": f"{self.net.base}/vi/{video.id}/{name}.jpg", "width": width, "height": height}
            for name, (width, height) in sizes.items()
        }

    def _video_status(self, video: Video) -> Json:
        body: Json = {
            "uploadStatus": self.upload_status(video),
            "privacyStatus": video.privacy,
            "license": video.license,
            "embeddable": video.embeddable,
            "publicStatsViewable": video.public_stats,
            "madeForKids": video.kids,
            "selfDeclaredMadeForKids": video.kids,
            "containsSyntheticMedia": video.synthetic,
        }
        if body["uploadStatus"] == "failed":
            body["failureReason"] = video.failure
        if body["uploadStatus"] == "rejected":
            body["rejectionReason"] = video.rejection
        if video.publish_at:
            body["publishAt"] = video.publish_at
        return body

    def upload_status(self, video: Video) -> str:
        if self.net.now() < video.ready_at:
            return "uploaded"
        return "failed" if video.failure else "rejected" if video.rejection else "processed"

    def _processing(self, video: Video) -> Json:
        left = (video.ready_at - self.net.now()).total_seconds()
        if left > 0:
            progress = {"partsTotal": "100", "partsProcessed": "40", "timeLeftMs": str(int(left * 1000))}
            return {"processingStatus": "processing", "processingProgress": progress}
        body: Json = {"processingStatus": "failed" if video.failure else "succeeded"}
        if video.failure:
            body["processingFailureReason"] = "transcodeFailed"
        return {**body, "fileDetailsAvailability": "available", "thumbnailsAvailability": "available"}

    def channel(self, channel: Channel, parts: Sequence[str]) -> Json:
        return self._built("channel", channel.id, channel, parts, self.channel_parts)

    @property
    def channel_parts(self) -> Mapping[str, Part]:
        return {
            "id": lambda channel: {},
            "snippet": self._channel_snippet,
            "statistics": self._channel_statistics,
            "status": lambda channel: {
                "privacyStatus": "public",
                "isLinked": True,
                "longUploadsStatus": "allowed" if channel.long_uploads else "eligible",
            },
            "contentDetails": lambda channel: {"relatedPlaylists": {"likes": "", "uploads": uploads_of(channel)}},
        }

    def _channel_snippet(self, channel: Channel) -> Json:
        picture = {"url": f"{self.net.base}/avatars/{channel.id}.jpg", "width": 88, "height": 88}
        return {
            "title": channel.name,
            "description": "",
            "customUrl": channel.handle,
            "publishedAt": moment(channel.made_at),
            "country": channel.country,
            "thumbnails": {"default": picture},
            "localized": {"title": channel.name, "description": ""},
        }

    def _channel_statistics(self, channel: Channel) -> Json:
        videos = [self.net.state.videos[one] for one in channel.videos]
        return {
            "viewCount": str(sum(views(video) for video in videos)),
            "subscriberCount": str(len(channel.subscribers)),
            "hiddenSubscriberCount": False,
            "videoCount": str(sum(video.privacy == "public" for video in videos)),
        }

    def playlist(self, playlist: Playlist, parts: Sequence[str]) -> Json:
        return self._built("playlist", playlist.id, playlist, parts, self.playlist_parts)

    @property
    def playlist_parts(self) -> Mapping[str, Part]:
        return {
            "id": lambda playlist: {},
            "snippet": lambda playlist: {
                "publishedAt": moment(playlist.made_at),
                "channelId": playlist.channel,
                "title": playlist.title,
                "description": "",
                "channelTitle": self.net.state.channels[playlist.channel].name,
            },
            "status": lambda playlist: {"privacyStatus": playlist.privacy},
            "contentDetails": lambda playlist: {"itemCount": len(playlist.entries)},
        }

    def entry(self, playlist: str, entry: Entry, parts: Sequence[str]) -> Json:
        return self._built("playlistItem", entry.id, (playlist, entry), parts, self.entry_parts)

    @property
    def entry_parts(self) -> Mapping[str, Part]:
        return {
            "id": lambda pair: {},
            "snippet": self._entry_snippet,
            "contentDetails": lambda pair: {"videoId": pair[1].video},
            "status": lambda pair: {"privacyStatus": self.net.state.videos[pair[1].video].privacy},
        }

    def _entry_snippet(self, pair: tuple[str, Entry]) -> Json:
        video = self.net.state.videos[pair[1].video]
        return {
            "publishedAt": moment(pair[1].added_at),
            "channelId": video.channel,
            "title": video.title,
            "playlistId": pair[0],
            "resourceId": {"kind": "youtube#video", "videoId": video.id},
        }

    def caption(self, caption: Caption) -> Json:
        snippet = {
            "videoId": caption.video,
            "lastUpdated": moment(caption.made_at),
            "trackKind": "standard",
            "language": caption.language,
            "name": caption.name,
            "audioTrackType": "unknown",
            "isCC": False,
            "isDraft": False,
            "status": "serving",
        }
        return {"kind": "youtube#caption", "etag": f"e{caption.id}", "id": caption.id, "snippet": snippet}

    def comment(self, comment: Comment, viewer: str) -> Json:
        by, video = self.net.state.channels[comment.by], self.net.state.videos[comment.video]
        snippet: Json = {
            "channelId": video.channel,
            "videoId": comment.video,
            "textDisplay": comment.text,
            "authorDisplayName": by.handle,
            "authorProfileImageUrl": f"{self.net.base}/avatars/{by.id}.jpg",
            "authorChannelUrl": f"{self.net.base}/channel/{by.id}",
            "authorChannelId": {"value": by.id},
            "canRate": True,
            "viewerRating": "none",
            "likeCount": comment.likes,
            "publishedAt": moment(comment.made_at),
            "updatedAt": moment(comment.made_at),
        }
        if comment.by == viewer:
            snippet["textOriginal"] = comment.text
        if video.channel == viewer:
            snippet["moderationStatus"] = comment.status
        if comment.parent:
            snippet["parentId"] = comment.parent
        return {"kind": "youtube#comment", "etag": f"e{comment.id}", "id": comment.id, "snippet": snippet}

    def thread(self, comment: Comment, parts: Sequence[str], viewer: str, *, held: bool = False) -> Json:
        """With the newest five answers, when they are asked for. ``held``: with those that wait for review instead."""
        every = [self.net.state.comments[one] for one in comment.replies]
        replies = [one for one in every if not one.hidden]
        shown = [one for one in every if one.status == HELD] if held else replies
        video = self.net.state.videos[comment.video]
        body: Json = {"kind": "youtube#commentThread", "etag": f"t{comment.id}", "id": comment.id}
        if "snippet" in parts:
            body["snippet"] = {
                "channelId": video.channel,
                "videoId": comment.video,
                "topLevelComment": self.comment(comment, viewer),
                "canReply": True,
                "totalReplyCount": len(replies),
                "isPublic": not comment.hidden,
            }
        if "replies" in parts and shown:
            body["replies"] = {"comments": [self.comment(one, viewer) for one in shown[-5:]]}
        return body


def _statistics(video: Video) -> Json:
    return {
        "viewCount": str(views(video)),
        "likeCount": str(len(video.likes)),
        "favoriteCount": "0",
        "commentCount": str(len(video.comments)),
    }


def _content(video: Video) -> Json:
    return {
        "duration": "PT12S",
        "dimension": "2d",
        "definition": "hd",
        "caption": "true" if video.captions else "false",
        "licensedContent": False,
        "hasCustomThumbnail": bool(video.cover),
        "projection": "rectangular",
    }


def uploads_of(channel: Channel) -> str:
    """The playlist of all of a channel's videos."""
    return "UU" + channel.id.removeprefix("UC")


def category(number: str) -> Json:
    title = {**CATEGORIES, **NOT_ASSIGNABLE}[number]
    snippet = {"title": title, "assignable": number in CATEGORIES, "channelId": "UCBR8-60-B28hp2BmDPdntcQ"}
    return {"kind": "youtube#videoCategory", "etag": f"c{number}", "id": number, "snippet": snippet}
