"""What is written at LinkedIn: files, posts, comments, reactions, subscriptions to news."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import web

from regie_sandbox.linkedin import shown
from regie_sandbox.linkedin.call import Call, guarded
from regie_sandbox.linkedin.state import Asset, Comment, Post, Subscription
from regie_sandbox.linkedin.wire import Json, Trouble, answered, record, unfit, visible

if TYPE_CHECKING:
    from regie_sandbox.linkedin.app import LinkedIn

TEXT, COMMENT, ALT, TITLE = 3000, 1250, 4086, 400
FEWEST, MOST = 2, 20
LARGEST = {"image": 36_152_320, "document": 100_000_000, "video": 500_000_000}
SMALLEST_VIDEO = 75_000
DURATIONS = ("ONE_DAY", "THREE_DAYS", "SEVEN_DAYS", "FOURTEEN_DAYS")
FIELDS = frozenset(
    (
        "author",
        "commentary",
        "visibility",
        "distribution",
        "content",
        "lifecycleState",
        "isReshareDisabledByAuthor",
        "reshareContext",
        "contentCallToActionLabel",
        "contentLandingPage",
    )
)
TARGETS = frozenset(
    "degrees fieldsOfStudy industries interfaceLocales jobFunctions geoLocations schools seniorities "
    "staffCountRanges".split()
)
REACTIONS = ("LIKE", "PRAISE", "EMPATHY", "INTEREST", "APPRECIATION", "ENTERTAINMENT")
POSTS = {"member": "w_member_social", "page": "w_organization_social"}
SOCIAL = {"member": "w_member_social_feed", "page": "w_organization_social_feed"}


class Deeds:
    def __init__(self, net: LinkedIn) -> None:
        self.net, self.state = net, net.state

    def routes(self, prefix: str) -> list[web.RouteDef]:
        def on(method: str, path: str, do: Any, *, rest: bool = True) -> web.RouteDef:
            return web.route(method, f"{prefix}{path}", guarded(self.net, do, rest=rest))

        return [
            *(on("POST", f"/rest/{kind}s", self._starting(kind)) for kind in LARGEST),
            *(on("GET", f"/rest/{kind}s/{{urn}}", self.asset) for kind in LARGEST),
            on("PUT", "/dms-uploads/{urn}/{part}", self.receive, rest=False),
            on("POST", "/dms-uploads/{urn}/{part}", self.receive, rest=False),
            on("POST", "/rest/posts", self.publish),
            on("POST", "/rest/posts/{urn}", self.edit),
            on("DELETE", "/rest/posts/{urn}", self.delete),
            on("POST", "/rest/socialActions/{urn}/comments", self.say),
            on("POST", "/rest/socialActions/{urn}/comments/{id}", self.edit_comment),
            on("DELETE", "/rest/socialActions/{urn}/comments/{id}", self.delete_comment),
            on("POST", "/rest/reactions", self.react),
            on("DELETE", "/rest/reactions/{key}", self.unreact),
            on("PUT", "/rest/eventSubscriptions/{key}", self.subscribe),
            on("GET", "/rest/eventSubscriptions/{key}", self.subscription),
            on("DELETE", "/rest/eventSubscriptions/{key}", self.unsubscribe),
        ]

    # Files

    def _starting(self, kind: str) -> Any:
        async def start(call: Call) -> web.Response:
            action, body = call.asked("action"), await call.body()
            if kind == "video" and action == "finalizeUpload":
                return self._finish(call, body)
            if action != "initializeUpload":
                raise Trouble(400, f"Unknown action '{action}'")
            asked = body.get("initializeUploadRequest")
            if not isinstance(asked, dict) or not asked.get("owner"):
                raise unfit("/initializeUploadRequest/owner", "field is required but not found")
            owner = call.speaks_for(str(asked["owner"]), **POSTS)
            made = Asset(
                f"urn:li:{kind}:{'D4E' if kind != 'image' else 'C4E'}{secrets.token_hex(8)}", owner, self.net.now()
            )
            self.state.assets[made.urn] = made
            if kind == "video":
                return answered({"value": self._start_video(made, asked)})
            url = self._address(made, "0")
            until = shown.moment(self.net.now() + timedelta(days=1))
            return answered({"value": {"uploadUrlExpiresAt": until, "uploadUrl": url, kind: made.urn}})

        return start

    def _address(self, asset: Asset, part: str) -> str:
        return f"{self.net.base}/dms-uploads/{asset.urn.rpartition(':')[2]}/{part}?ca=vector&cn=uploads&sync=0"

    def _start_video(self, asset: Asset, asked: Mapping[str, Any]) -> Json:
        size = asked.get("fileSizeBytes")
        if not isinstance(size, int) or not SMALLEST_VIDEO <= size <= LARGEST["video"]:
            raise unfit("/initializeUploadRequest/fileSizeBytes", f"{size} is not within 75 KB and 500 MB")
        asset.size = size
        asset.asked = [name for name in ("Captions", "Thumbnail") if asked.get(f"upload{name}") is True]
        step = self.net.part_bytes
        parts = [(first, min(first + step, size) - 1) for first in range(0, size, step)]
        return {
            "uploadUrlsExpireAt": shown.moment(self.net.now() + timedelta(hours=1)),
            "video": asset.urn,
            "uploadInstructions": [
                {"uploadUrl": self._address(asset, str(nth)), "firstByte": first, "lastByte": last}
                for nth, (first, last) in enumerate(parts)
            ],
            "uploadToken": "",
            **({"captionsUploadUrl": self._address(asset, "captions")} if "Captions" in asset.asked else {}),
            **({"thumbnailUploadUrl": self._address(asset, "thumbnail")} if "Thumbnail" in asset.asked else {}),
        }

    async def receive(self, call: Call) -> web.Response:
        asset = next((one for urn, one in self.state.assets.items() if urn.endswith(f":{call.key()}")), None)
        if asset is None or asset.done_at is not None:
            raise Trouble(404)
        part, kind = call.key("part"), asset.urn.split(":")[2]
        if not part.isdigit():
            return await self._receive_beside(call, asset, part)
        content = await call.request.read()
        if kind != "video":
            asset.size, asset.done_at = len(content), self.net.now()
            asset.failed = not content or (kind == "image" and content[:3] not in (b"\xff\xd8\xff", b"\x89PN", b"GIF"))
            self.net.world.files.put(asset.urn, content)
            return answered(status=201)
        first = int(part) * self.net.part_bytes
        if len(content) != min(self.net.part_bytes, asset.size - first):
            raise Trouble(400, "The part has another size than its instruction says")
        tag = f"/ambry-video/signedId/{hashlib.sha256(content).hexdigest()[:24]}"
        asset.parts[int(part)] = tag
        self.net.world.files.put(f"{asset.urn}/{part}", content)
        return answered(headers={"ETag": f'"{tag}"'})

    async def _receive_beside(self, call: Call, asset: Asset, part: str) -> web.Response:
        if part == "captions":
            form = await call.request.post()
            told, file = form.get("metadata"), form.get("file")
            if not isinstance(file, web.FileField) or json.loads(str(told or "{}")).get("format") != "SRT":
                raise Trouble(400, "Captions come as a form with metadata and file")
            asset.brought["captions"] = file.file.read().decode()
        else:
            if call.request.headers.get("media-type-family") != "STILLIMAGE":
                raise Trouble(400, "media-type-family is missing")
            asset.brought["thumbnail"] = hashlib.sha256(await call.request.read()).hexdigest()
        return answered(status=201)

    def _finish(self, call: Call, body: Json) -> web.Response:
        asked = body.get("finalizeUploadRequest")
        if not isinstance(asked, dict) or asked.get("video") not in self.state.assets:
            raise unfit("/finalizeUploadRequest/video", "could not find entity")
        asset = self.state.assets[asked["video"]]
        call.speaks_for(asset.owner, **POSTS)
        parts = [asset.parts[nth] for nth in sorted(asset.parts)]
        whole = len(parts) * self.net.part_bytes >= asset.size
        if asked.get("uploadedPartIds") != parts or not whole:
            raise unfit("/finalizeUploadRequest/uploadedPartIds", "the parts are not those that were uploaded")
        if len(asset.brought) < len(asset.asked):
            raise Trouble(400, "Captions or thumbnail were announced and are missing")
        asset.done_at = self.net.now()
        return answered()

    async def asset(self, call: Call) -> web.Response:
        asset = self.state.assets.get(call.key())
        if asset is None:
            raise Trouble(404)
        call.speaks_for(asset.owner, **POSTS)
        return answered({"id": asset.urn, "owner": asset.owner, "status": self._status(asset)})

    def _status(self, asset: Asset) -> str:
        if asset.done_at is None:
            return "WAITING_UPLOAD"
        if asset.failed:
            return "PROCESSING_FAILED"
        worked = (self.net.now() - asset.done_at).total_seconds() >= self.net.processing_seconds
        return "AVAILABLE" if worked else "PROCESSING"

    # Posts

    async def publish(self, call: Call) -> web.Response:
        body = await call.body()
        for name in ("author", "commentary", "visibility", "distribution", "lifecycleState"):
            if name not in body:
                raise unfit(f"/{name}", "field is required but not found and has no default value")
        if unknown := sorted(set(body) - FIELDS):
            raise unfit(f"/{unknown[0]}", "unrecognized field found but not allowed")
        author = call.speaks_for(str(body["author"]), **POSTS)
        text = self._text(body["commentary"])
        self._settings(body, author)
        media = self._content(body.get("content"), author)
        if not text and not body.get("content"):
            raise unfit("/commentary", "a post has words or something to show")
        commentary = self.net.faults.rewritten(str(body["commentary"]))
        kept = self.net.faults.rewritten(text)
        self._once(author, kept, body)
        post = self.net.add_post(author, commentary, kept, body)
        self.net.note(author, post.urn, text, "post", media=media)
        return answered(status=201, headers={"x-restli-id": post.urn, "x-linkedin-id": post.urn})

    def _text(self, commentary: Any) -> str:
        if not isinstance(commentary, str):
            raise unfit("/commentary", f"{commentary!r} is not a string")
        text = visible(commentary)
        if len(text) > TEXT:
            raise unfit("/commentary", f"length of text exceeds maximum {TEXT}")
        return text

    def _settings(self, body: Json, author: str) -> None:
        is_page = author in self.state.pages
        if body["visibility"] not in (("PUBLIC", "LOGGED_IN") if is_page else ("PUBLIC", "CONNECTIONS", "LOGGED_IN")):
            raise unfit("/visibility", f"{body['visibility']} is not allowed here")
        if body["lifecycleState"] != "PUBLISHED":
            raise unfit("/lifecycleState", "only PUBLISHED is allowed when a post is created")
        spread = body["distribution"]
        if not isinstance(spread, dict) or spread.get("feedDistribution") not in ("MAIN_FEED", "NONE"):
            raise unfit("/distribution/feedDistribution", "is not valid")
        for target in spread.get("targetEntities") or ():
            if not is_page or set(target) - TARGETS:
                raise unfit("/distribution/targetEntities", "is not valid for this author")

    def _once(self, author: str, text: str, body: Json) -> None:
        """The same text and files twice within ten minutes is a mistake, says LinkedIn."""
        recent = self.net.now() - timedelta(minutes=10)
        for post in self.state.posts.values():
            same = (post.author, post.text, post.body.get("content")) == (author, text, body.get("content"))
            if same and post.made_at > recent:
                why = f"Content is a duplicate of {post.urn}"
                raise Trouble(422, why, code="DUPLICATE_POST")

    def _content(self, content: Any, author: str) -> int:
        """How many files it shows. Raises Trouble for what the schema does not allow."""
        if content is None:
            return 0
        if not isinstance(content, dict) or len(content) != 1:
            raise unfit("/content", "union requires one member")
        ((kind, inner),) = content.items()
        match kind:
            case "media":
                return self._media(inner, author, "/content/media", ("image", "video", "document"))
            case "multiImage":
                images = inner.get("images", [])
                if not FEWEST <= len(images) <= MOST:
                    raise unfit("/content/multiImage/images", f"has {len(images)} elements, not {FEWEST} to {MOST}")
                return sum(self._media(one, author, "/content/multiImage", ("image",)) for one in images)
            case "article":
                return self._article(inner, author)
            case "poll":
                return self._poll(inner)
        raise unfit(f"/content/{kind}", "unrecognized field found but not allowed")

    def _media(self, inner: Json, author: str, where: str, kinds: tuple[str, ...]) -> int:
        asset = self.state.assets.get(str(inner.get("id", "")))
        kind = asset.urn.split(":")[2] if asset is not None else ""
        if asset is None or kind not in kinds or asset.owner != author or self._status(asset) != "AVAILABLE":
            raise Trouble(400, f"{where}/id: {inner.get('id')} is not valid or not ready")
        if len(inner.get("altText", "")) > ALT or len(inner.get("title", "")) > TITLE:
            raise unfit(where, "altText or title is too long")
        if kind == "document" and not inner.get("title"):
            raise unfit(f"{where}/title", "field is required for documents")
        return 1

    def _article(self, inner: Json, author: str) -> int:
        if not str(inner.get("source", "")).startswith(("http://", "https://")) or not inner.get("title"):
            raise unfit("/content/article", "source and title are required")
        if len(inner["title"]) > TITLE or len(inner.get("description", "")) > ALT:
            raise unfit("/content/article", "title or description is too long")
        if inner.get("thumbnail"):
            return self._media({"id": inner["thumbnail"]}, author, "/content/article/thumbnail", ("image",))
        return 0

    def _poll(self, inner: Json) -> int:
        options = [str(one.get("text", "")) for one in inner.get("options", [])]
        if not inner.get("question") or len(inner["question"]) > 140:
            raise unfit("/content/poll/question", "has 1 to 140 characters")
        if not 2 <= len(options) <= 4 or any(not 0 < len(one) <= 30 for one in options):
            raise unfit("/content/poll/options", "are 2 to 4 of 1 to 30 characters")
        if inner.get("settings", {}).get("duration") not in DURATIONS:
            raise unfit("/content/poll/settings/duration", "is not valid")
        return 0

    def _own(self, call: Call) -> Post:
        post = self.state.posts.get(call.key())
        if post is None:
            raise Trouble(404)
        call.speaks_for(post.author, **POSTS)
        return post

    async def edit(self, call: Call) -> web.Response:
        if call.method != "PARTIAL_UPDATE":
            raise Trouble(400, "X-RestLi-Method: PARTIAL_UPDATE is missing")
        post, wanted = self._own(call), (await call.body()).get("patch", {}).get("$set", {})
        if set(wanted) - {"commentary", "contentCallToActionLabel", "contentLandingPage", "lifecycleState"}:
            raise unfit("/patch/$set", "some of these fields cannot be updated")
        text = self._text(wanted.get("commentary"))
        self.net.note(post.author, post.urn, text, "edit")
        post.commentary, post.text = str(wanted["commentary"]), text
        post.edited, post.changed_at = True, self.net.now()
        return answered(status=204)

    async def delete(self, call: Call) -> web.Response:
        """One that is gone already counts as deleted."""
        if call.key() in self.state.posts:
            post = self._own(call)
            self.net.note(post.author, post.urn, "", "delete")
            for comment in post.comments:
                self.state.comments.pop(comment, None)
            del self.state.posts[post.urn]
        return answered(status=204)

    # Comments

    def under(self, urn: str) -> tuple[Post, Comment | None]:
        """A post, by its own urn or its activity's, or a comment there."""
        comment = self.state.comments.get(urn)
        wanted = comment.post if comment is not None else urn
        post = next((one for one in self.state.posts.values() if wanted in (one.urn, one.activity)), None)
        if post is None:
            raise Trouble(404)
        return post, comment

    def comment_at(self, call: Call) -> Comment:
        post, _ = self.under(call.key())
        found = next((one for one in post.comments if self.state.comments[one].number == call.key("id")), None)
        if found is None:
            raise Trouble(404)
        return self.state.comments[found]

    async def say(self, call: Call) -> web.Response:
        body = await call.body()
        actor = call.speaks_for(str(body.get("actor", "")), **SOCIAL)
        post, parent = self.under(call.key())
        if body.get("object") not in (post.urn, post.activity):
            raise unfit("/object", "is not the post in the path")
        if (parent.urn if parent is not None else None) != body.get("parentComment"):
            raise unfit("/parentComment", "is not the comment in the path")
        if parent is not None and parent.parent:
            raise Trouble(400, "Comments are nested one level deep")
        made = self.net.comment(post, actor, self._said(body.get("message")), parent=parent)
        told = {**shown.comment(self.net, made), "object": body["object"]}
        return answered(told, status=201, headers={"x-restli-id": made.number})

    def _said(self, message: Any) -> str:
        text = message.get("text") if isinstance(message, dict) else None
        if not isinstance(text, str) or not text.strip() or len(text) > COMMENT:
            raise unfit("/message/text", f"has 1 to {COMMENT} characters")
        return text

    async def edit_comment(self, call: Call) -> web.Response:
        if call.method != "PARTIAL_UPDATE":
            raise Trouble(400, "X-RestLi-Method: PARTIAL_UPDATE is missing")
        comment = self.comment_at(call)
        call.speaks_for(comment.actor, **SOCIAL)
        comment.text = self._said((await call.body()).get("patch", {}).get("message", {}).get("$set"))
        self.net.note(comment.actor, comment.urn, comment.text, "edit")
        return answered(shown.comment(self.net, comment))

    async def delete_comment(self, call: Call) -> web.Response:
        comment = self.comment_at(call)
        post = self.state.posts[comment.post]
        if call.asked("actor") not in (comment.actor, post.author):
            raise Trouble(403, "Only its author or the post's may delete a comment")
        call.speaks_for(call.asked("actor"), **SOCIAL)
        self.take_back(comment)
        return answered(status=204)

    def take_back(self, comment: Comment) -> None:
        """With what answers it."""
        post = self.state.posts[comment.post]
        gone = [one for one in post.comments if one == comment.urn or self.state.comments[one].parent == comment.urn]
        for urn in gone:
            post.comments.remove(urn)
            del self.state.comments[urn]
        self.net.note(comment.actor, comment.urn, "", "delete")
        self.net.notify(post.author, "COMMENT_DELETE", post, comment=comment.urn, owner=comment.actor)

    async def react(self, call: Call) -> web.Response:
        body = await call.body()
        actor = call.speaks_for(call.asked("actor"), **SOCIAL)
        if body.get("reactionType") not in REACTIONS:
            raise unfit("/reactionType", "is not valid")
        post, comment = self.under(str(body.get("root", "")))
        if actor in (comment.likes if comment is not None else post.likes):
            raise Trouble(409)
        if comment is not None:
            comment.likes.add(actor)
            self.net.note(actor, comment.urn, "", "like")
        else:
            self.net.liked(post, actor)
        return answered({"id": f"urn:li:reaction:({actor},{body['root']})"}, status=201)

    async def unreact(self, call: Call) -> web.Response:
        key = record(call.request.rel_url.raw_path.rpartition("/")[2])
        actor = call.speaks_for(key.get("actor", ""), **SOCIAL)
        post, comment = self.under(key.get("entity", ""))
        likes = comment.likes if comment is not None else post.likes
        if actor not in likes:
            raise Trouble(404)
        likes.discard(actor)
        return answered(status=204)

    # News

    def _named(self, call: Call) -> tuple[str, dict[str, str]]:
        raw = call.request.rel_url.raw_path.rpartition("/")[2]
        key = record(raw)
        if set(key) != {"developerApplication", "user", "entity", "eventType"}:
            raise Trouble(400, "The key of a subscription has four parts")
        call.administers(key["entity"], "rw_organization_admin")
        app = self.state.apps[call.token.app]
        if (
            key["developerApplication"] != f"urn:li:developerApplication:{app.number}"
            or key["user"] != call.token.member
        ):
            raise Trouble(403, "The subscription is another app's or another member's")
        return raw, key

    async def subscribe(self, call: Call) -> web.Response:
        raw, key = self._named(call)
        url = str((await call.body()).get("webhook", ""))
        app = self.state.apps[call.token.app]
        if not await self.net.is_ours(app, url):
            raise Trouble(400, "This URL did not pass the security challenge check")
        self.state.subscriptions[raw] = Subscription(raw, app.id, key["entity"], url)
        return answered(status=204)

    async def subscription(self, call: Call) -> web.Response:
        raw, _ = self._named(call)
        if raw not in self.state.subscriptions:
            raise Trouble(404)
        return answered({"webhook": self.state.subscriptions[raw].webhook, "expiresAt": shown.moment(call.token.until)})

    async def unsubscribe(self, call: Call) -> web.Response:
        raw, _ = self._named(call)
        self.state.subscriptions.pop(raw, None)
        return answered(status=204)
