"""The AppView's pictures of accounts and posts. Shapes: app.bsky.actor.defs, app.bsky.feed.defs, app.bsky.embed.*."""

from __future__ import annotations

from typing import Any

from regie_sandbox.bluesky.lexicon import GATE, POST
from regie_sandbox.bluesky.state import Account, Notice, Record
from regie_sandbox.bluesky.store import Store, iso, parts


class Views:
    """Drawn for ``me`` (a DID; "" for nobody in particular); ``base`` is the network's address."""

    def __init__(self, store: Store, base: str, me: str = "") -> None:
        self.store, self.base, self.me = store, base, me

    def author(self, did: str) -> dict[str, Any]:
        account = self.store.state.accounts[did]
        return {
            "did": did,
            "handle": account.handle,
            "displayName": account.name,
            "createdAt": iso(account.created_at),
            "viewer": {"muted": False, "blockedBy": False},
            "labels": [],
        }

    def profile(self, account: Account) -> dict[str, Any]:
        state = self.store.state
        return {
            **self.author(account.did),
            "description": account.description,
            "followersCount": len(state.followers.get(account.did, ())),
            "followsCount": state.following.get(account.did, 0),
            "postsCount": len(state.keys.get(f"{account.did}/{POST}", ())),
            "indexedAt": iso(account.created_at),
        }

    def post(self, record: Record) -> dict[str, Any]:
        reactions = self.store.reactions(record.uri)
        viewer: dict[str, Any] = {"threadMuted": False, "embeddingDisabled": False}
        if self.me in reactions.likes:
            viewer["like"] = reactions.likes[self.me]
        if self.me in reactions.reposts:
            viewer["repost"] = reactions.reposts[self.me]
        view = {
            "uri": record.uri,
            "cid": record.cid,
            "author": self.author(parts(record.uri)[0]),
            "record": record.value,
            "bookmarkCount": 0,
            "replyCount": len(reactions.replies),
            "repostCount": len(reactions.reposts),
            "likeCount": len(reactions.likes),
            "quoteCount": len(reactions.quotes),
            "indexedAt": iso(record.indexed_at),
            "viewer": viewer,
            "labels": self._labels(record),
        }
        if gate := self._gate(record):
            view["threadgate"] = gate
        if embed := self._embed(parts(record.uri)[0], record.value.get("embed")):
            view["embed"] = embed
        return view

    def _labels(self, record: Record) -> list[dict[str, Any]]:
        """Those that the writer put on the post."""
        values = record.value.get("labels", {}).get("values", ())
        about = {"src": parts(record.uri)[0], "uri": record.uri, "cts": iso(record.indexed_at)}
        return [{**about, "val": value["val"]} for value in values]

    def _gate(self, record: Record) -> dict[str, Any] | None:
        did, _, rkey = parts(record.uri)
        gate = self.store.state.records.get(f"at://{did}/{GATE}/{rkey}")
        return {"uri": gate.uri, "cid": gate.cid, "record": gate.value, "lists": []} if gate is not None else None

    def _embed(self, did: str, embed: Any) -> dict[str, Any] | None:
        match embed:
            case {"$type": "app.bsky.embed.images", "images": images}:
                return {
                    "$type": "app.bsky.embed.images#view",
                    "images": [self._image(did, image) for image in images],
                }
            case {"$type": "app.bsky.embed.gallery", "items": items}:
                kind = "app.bsky.embed.gallery#view"
                return {"$type": kind, "items": [{"$type": f"{kind}Image", **self._item(did, one)} for one in items]}
            case {"$type": "app.bsky.embed.video", "video": {"ref": {"$link": cid}}}:
                kept = {name: embed[name] for name in ("alt", "aspectRatio") if name in embed}
                playlist = {"playlist": f"{self.base}/watch/{did}/{cid}/playlist.m3u8"}
                return {"$type": "app.bsky.embed.video#view", "cid": cid, **playlist, **kept}
            case {"$type": "app.bsky.embed.external", "external": external}:
                kept = {name: external[name] for name in ("uri", "title", "description")}
                if "thumb" in external:
                    kept["thumb"] = self._thumbnail(did, external["thumb"])
                return {"$type": "app.bsky.embed.external#view", "external": kept}
            case {"$type": "app.bsky.embed.record", "record": {"uri": uri}}:
                return {"$type": "app.bsky.embed.record#view", "record": self._quoted(uri)}
            case {"$type": "app.bsky.embed.recordWithMedia", "record": {"record": {"uri": uri}}, "media": media}:
                return {
                    "$type": "app.bsky.embed.recordWithMedia#view",
                    "record": {"record": self._quoted(uri)},
                    "media": self._embed(did, media),
                }
        return None

    def _thumbnail(self, did: str, blob: dict[str, Any]) -> str:
        return f"{self.base}/img/feed_thumbnail/plain/{did}/{blob['ref']['$link']}"

    def _item(self, did: str, image: dict[str, Any]) -> dict[str, Any]:
        """A gallery calls the small picture by another name."""
        view = self._image(did, image)
        view["thumbnail"] = view.pop("thumb")
        return view

    def _image(self, did: str, image: dict[str, Any]) -> dict[str, Any]:
        cid = image["image"]["ref"]["$link"]
        view = {
            "thumb": self._thumbnail(did, image["image"]),
            "fullsize": f"{self.base}/img/feed_fullsize/plain/{did}/{cid}",
            "alt": image["alt"],
        }
        return view | ({"aspectRatio": image["aspectRatio"]} if "aspectRatio" in image else {})

    def _quoted(self, uri: str) -> dict[str, Any]:
        record = self.store.state.records.get(uri)
        if record is None:
            return {"$type": "app.bsky.embed.record#viewNotFound", "uri": uri, "notFound": True}
        return {
            "$type": "app.bsky.embed.record#viewRecord",
            "uri": uri,
            "cid": record.cid,
            "author": self.author(parts(uri)[0]),
            "value": record.value,
            "indexedAt": iso(record.indexed_at),
        }

    def notification(self, notice: Notice, record: Record) -> dict[str, Any]:
        did = parts(record.uri)[0]
        view = {
            "uri": record.uri,
            "cid": record.cid,
            "author": self.author(did),
            "reason": notice.reason,
            "record": record.value,
            "isRead": False,
            "indexedAt": iso(record.indexed_at),
            "labels": [],
        }
        return view | ({"reasonSubject": notice.subject} if notice.subject else {})

    def feed_post(self, record: Record) -> dict[str, Any]:
        view: dict[str, Any] = {"post": self.post(record)}
        if reply := record.value.get("reply"):
            view["reply"] = {end: self._end(reply[end]["uri"]) for end in ("root", "parent")}
        return view

    def _end(self, uri: str) -> dict[str, Any]:
        record = self.store.state.records.get(uri)
        if record is None:
            return {"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": True}
        return {"$type": "app.bsky.feed.defs#postView", **self.post(record)}

    def thread(self, uri: str, *, depth: int, height: int) -> dict[str, Any]:
        record = self.store.state.records.get(uri)
        if record is None:
            return {"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": True}
        view: dict[str, Any] = {"$type": "app.bsky.feed.defs#threadViewPost", "post": self.post(record)}
        if height > 0 and (reply := record.value.get("reply")):
            view["parent"] = self.thread(reply["parent"]["uri"], depth=0, height=height - 1)
        if depth > 0:
            answers = self.store.reactions(uri).replies
            view["replies"] = [self.thread(one, depth=depth - 1, height=0) for one in answers]
        return view
