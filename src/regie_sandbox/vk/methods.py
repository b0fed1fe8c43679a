"""What each method does, with which key and which right. Source: the schema of API 5.199, and the connector's notes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from regie_sandbox.vk.shown import NAMED, unix
from regie_sandbox.vk.state import Comment, Group, Media, Post, Story
from regie_sandbox.vk.wire import Call, Json, Trouble, denied, invalid

if TYPE_CHECKING:
    from regie_sandbox.vk.app import Vk

Method = Callable[[Call], Any]
LONGEST_POST, LONGEST_MESSAGE = 16_384, 9_000
MOST_MEDIA, MOST_ANSWERS, LONGEST_ANSWER = 10, 10, 100
MOST_SERVERS = 10
GUID_HOLDS = timedelta(hours=1)
BITS = {"photos": 4, "video": 16, "stories": 64, "wall": 8192, "offline": 65_536, "docs": 131_072,
        "groups": 262_144, "stats": 1_048_576, "messages": 4096, "manage": 262_144}  # fmt: skip


class Methods:
    def __init__(self, net: Vk) -> None:
        self.net, self.state, self.shows = net, net.state, net.shows

    def all(self) -> Mapping[str, Method]:
        return {
            "groups.getById": self.group,
            "groups.getTokenPermissions": self.rights_of_group,
            "groups.setLongPollSettings": self.turn_on,
            "groups.getLongPollServer": self.line,
            "groups.getCallbackConfirmationCode": lambda call: {"code": self.net.callbacks.code(self._managed(call))},
            "groups.getCallbackServers": self.servers,
            "groups.addCallbackServer": self.add_server,
            "groups.editCallbackServer": self.edit_server,
            "groups.deleteCallbackServer": self.delete_server,
            "groups.setCallbackSettings": self.server_settings,
            "users.get": self.users,
            "account.getAppPermissions": self.rights_of_user,
            "wall.post": self.post,
            "wall.edit": self.edit,
            "wall.delete": self.delete,
            "wall.get": self.wall,
            "wall.getById": self.posts,
            "wall.getComments": self.comments,
            "wall.createComment": self.create_comment,
            "wall.editComment": self.edit_comment,
            "wall.deleteComment": self.delete_comment,
            "likes.add": lambda call: self.like(call, liked=True),
            "likes.delete": lambda call: self.like(call, liked=False),
            "photos.getWallUploadServer": self.photo_server,
            "photos.saveWallPhoto": self.save_photo,
            "video.save": self.save_video,
            "video.getThumbUploadUrl": self.thumb_server,
            "video.saveUploadedThumb": self.save_thumb,
            "docs.getWallUploadServer": self.doc_server,
            "docs.save": self.save_doc,
            "polls.create": self.create_poll,
            "stories.getPhotoUploadServer": lambda call: self.story_server(call, "story_photo"),
            "stories.getVideoUploadServer": lambda call: self.story_server(call, "story_video"),
            "stories.save": self.save_story,
            "stories.get": self.stories,
            "stories.delete": self.delete_story,
            "stories.getStats": self.story_stats,
            "messages.getConversations": self.conversations,
            "messages.getHistory": self.history,
            "messages.send": self.send,
            "stats.getPostReach": self.reach,
            "stats.get": self.stats,
        }

    # Who may

    def _group(self, call: Call, owner: int) -> Group:
        """The community whose wall it is, if this key may speak for it."""
        group = self.state.groups.get(-owner) if owner < 0 else None
        if group is None:
            raise denied("this wall is not a community's")
        allowed = group.id == call.key.holder if call.key.kind == "group" else call.key.holder in group.admins
        if not allowed:
            raise Trouble(214, "Access to adding post denied: you can't add posts to this wall")
        return group

    def _administered(self, call: Call, name: str = "group_id") -> Group:
        return self._group(call, -call.number(name))

    def group(self, call: Call) -> Json:
        asked = call.text("group_id") or call.text("group_ids")
        if not asked and call.key.kind == "group":
            asked = str(call.key.holder)
        found = [self.net.known_as(one) for one in asked.split(",") if one]
        if not found:
            raise invalid("group_ids is undefined")
        return {"groups": [self.shows.group(one) for one in found], "profiles": []}

    def rights_of_group(self, call: Call) -> Json:
        call.must_be_group()
        rights = call.key.rights
        return {"mask": _mask(rights), "permissions": [{"name": one, "setting": BITS[one]} for one in rights]}

    def rights_of_user(self, call: Call) -> int:
        call.must_be_user()
        return _mask(call.key.rights)

    def turn_on(self, call: Call) -> int:
        call.must_have("manage" if call.key.kind == "group" else "groups")
        known = ("wall_reply_new", "wall_reply_delete", "message_new")
        wanted = [one for one in known if call.yes(one)]
        self._administered(call).wants = wanted if call.yes("enabled") else []
        return 1

    def line(self, call: Call) -> Json:
        group = self._administered(call)
        if not group.wants:
            raise invalid("longpoll for this group is not enabled")
        server, ts = f"{self.net.base}/news/{group.id}", str(len(group.news))
        return {"key": self.net.line_key(group), "server": server, "ts": ts}

    def _managed(self, call: Call) -> Group:
        call.must_have("manage" if call.key.kind == "group" else "groups")
        return self._administered(call)

    def servers(self, call: Call) -> Json:
        found = [{name: value for name, value in one.items() if name != "wants"} for one in self._managed(call).servers]
        return {"count": len(found), "items": found}

    def _server(self, call: Call) -> tuple[Group, Json]:
        group, number = self._managed(call), call.number("server_id")
        for one in group.servers:
            if one["id"] == number:
                return group, one
        raise Trouble(104, "Not found")

    def _server_fields(self, call: Call) -> Json:
        url = call.text("url")
        if not url.startswith(("https://", "http://127.", "http://localhost")):
            raise invalid("url is invalid")
        return {
            "url": url,
            "title": call.text("title", longest=14),
            "secret_key": call.text("secret_key", longest=50),
            "status": "unconfigured",
        }

    def add_server(self, call: Call) -> Json:
        group, fields = self._managed(call), self._server_fields(call)
        if len(group.servers) >= MOST_SERVERS:
            raise Trouble(2000, "Servers number limit is reached")
        made: Json = {"id": self.net.new_id(), "creator_id": group.admins[0], "wants": [], **fields}
        group.servers.append(made)
        self.net.callbacks.ask_for_the_word(group, made)
        return {"server_id": made["id"]}

    def edit_server(self, call: Call) -> int:
        group, one = self._server(call)
        one |= self._server_fields(call)
        self.net.callbacks.ask_for_the_word(group, one)
        return 1

    def delete_server(self, call: Call) -> int:
        group, one = self._server(call)
        group.servers.remove(one)
        return 1

    def server_settings(self, call: Call) -> int:
        _group, one = self._server(call)
        known = ("wall_reply_new", "wall_reply_edit", "wall_reply_delete", "message_new")
        one["wants"] = [name for name in known if call.yes(name)]
        return 1

    def users(self, call: Call) -> list[Json]:
        found = [self.state.users.get(int(one)) for one in call.listed("user_ids")]
        return [self.shows.user(one) for one in found if one is not None]

    # The wall

    def post(self, call: Call) -> Json:
        """With a community's key too, for texts: not in the schema, but tried by others."""
        call.must_have("wall")
        group = self._group(call, call.number("owner_id"))
        place = f"wall.post:{group.id}:{call.text('guid')}"
        if call.text("guid") and (known := self._known(place)) is not None:
            return {"post_id": known}
        text, attached = self._content(call)
        by_group = call.yes("from_group") or call.key.kind == "group"
        author = -group.id if by_group else call.key.holder
        post = Post(self.net.new_id(), -group.id, author, text, self.net.now(), attached)
        post.closed, post.ads, post.source = call.yes("close_comments"), call.yes("mark_as_ads"), call.text("copyright")
        self._mark(post, call)
        self.state.posts[f"{post.owner}_{post.id}"] = post
        group.wall.append(post.id)
        self.state.guids[place] = post.id
        media = len([one for one in attached if one.startswith(("photo", "video", "doc"))])
        self.net.note(-group.id, f"{post.owner}_{post.id}", text, "post", key=call.text("guid"), media=media)
        return {"post_id": post.id}

    def _mark(self, post: Post, call: Call) -> None:
        """Where it was, and who signs it: people only."""
        post.signer = call.key.holder if call.yes("signed") and call.key.kind == "user" else 0
        here = call.text("lat"), call.text("long")
        try:
            post.point = (float(here[0]), float(here[1])) if any(here) else None
        except ValueError:
            raise invalid("lat should be a number") from None
        if post.point is not None and (abs(post.point[0]) > 90 or abs(post.point[1]) > 180):
            raise invalid("lat should be from -90 to 90, long from -180 to 180")

    def _known(self, place: str) -> int | None:
        """What the same guid made within the hour."""
        made = self.state.guids.get(place)
        owner = place.split(":")[1]
        post = self.state.posts.get(f"-{owner}_{made}")
        if made is None or (post is not None and self.net.now() - post.made_at > GUID_HOLDS):
            return None
        return made

    def _content(self, call: Call) -> tuple[str, list[str]]:
        text = self.net.faults.rewritten(call.text("message", longest=LONGEST_POST))
        attached = call.listed("attachments")
        links = [one for one in attached if NAMED.match(one) is None]
        named = [one for one in attached if one not in links]
        if any(not one.startswith(("http://", "https://")) for one in links) or len(links) > 1:
            raise Trouble(222, "Hyperlinks are forbidden")
        for one in named:
            if one not in self.state.media or not self.state.media[one].ready:
                raise invalid(f"attachments: {one} is not there")
        kinds = [self.state.media[one].kind for one in named]
        if (
            kinds.count("photo") + kinds.count("video") > MOST_MEDIA
            or kinds.count("doc") > 1
            or kinds.count("poll") > 1
        ):
            raise invalid("attachments: too many")
        if not text and set(kinds) <= {"poll"} and not links:
            raise invalid("message or attachments are needed")
        return text, attached

    def edit(self, call: Call) -> Json:
        call.must_be_user()
        call.must_have("wall")
        post = self._post(call)
        post.text, post.attachments = self._content(call)
        self._mark(post, call)
        post.edited_at = self.net.now()
        self.net.note(post.owner, f"{post.owner}_{post.id}", post.text, "edit")
        return {"post_id": post.id}

    def _post(self, call: Call) -> Post:
        group = self._group(call, call.number("owner_id"))
        post = self.state.posts.get(f"-{group.id}_{call.number('post_id')}")
        if post is None:
            raise Trouble(104, "Not found")
        return post

    def delete(self, call: Call) -> int:
        call.must_be_user()
        call.must_have("wall")
        post = self._post(call)
        self.state.groups[-post.owner].wall.remove(post.id)
        del self.state.posts[f"{post.owner}_{post.id}"]
        self.net.note(post.owner, f"{post.owner}_{post.id}", "", "delete")
        return 1

    def wall(self, call: Call) -> Json:
        call.must_be_user()
        group = self.state.groups.get(-call.number("owner_id"))
        if group is None:
            raise denied()
        lag = timedelta(seconds=self.net.faults.listing_lag)
        listed = [post for post in reversed(self.net.wall(group)) if self.net.now() - post.made_at >= lag]
        begin, count = call.number("offset", 0), min(call.number("count", 20), 100)
        return {"count": len(listed), "items": [self.shows.post(one) for one in listed[begin : begin + count]]}

    def posts(self, call: Call) -> Json:
        call.must_be_user()
        found = [self.state.posts.get(one) for one in call.listed("posts")]
        return {"items": [self.shows.post(one) for one in found if one is not None]}

    # Comments

    def comments(self, call: Call) -> Json:
        call.must_be_user()
        post = self.state.posts.get(f"{call.number('owner_id')}_{call.number('post_id')}")
        if post is None:
            raise Trouble(212, "Access to post comments denied")
        rows = [self.state.comments[f"{post.owner}_{one}"] for one in post.comments]
        top = [one for one in rows if not one.parent and not one.deleted]
        if call.text("sort") == "desc":
            top.reverse()
        threads = call.number("thread_items_count", 0)
        page = top[call.number("offset", 0) :][: min(call.number("count", 10), 100)]
        shown: Json = {"count": len(rows), "current_level_count": len(top), "can_post": True, "groups_can_post": True}
        shown["items"] = [self.shows.comment(one, threads=threads) for one in page]
        return {**shown, **self.shows.people({one.author for one in rows})} if call.yes("extended") else shown

    def create_comment(self, call: Call) -> Json:
        call.must_have("wall")
        post = self.state.posts.get(f"{call.number('owner_id')}_{call.number('post_id')}")
        if post is None or post.closed:
            raise Trouble(213, "Access to status replies denied")
        place = f"comment:{post.owner}:{call.text('guid')}"
        if call.text("guid") and place in self.state.guids:
            return {"comment_id": self.state.guids[place], "parents_stack": []}
        text = call.text("message", longest=LONGEST_POST)
        if not text:
            raise invalid("message is undefined")
        answered = call.text("reply_to_comment")
        parent = self.state.comments.get(f"{post.owner}_{answered}") if answered else None
        if answered and parent is None:
            raise invalid("reply_to_comment")
        group = call.number("from_group", 0)
        author = -self._group(call, -group).id if group else call.key.holder
        comment = self.net.comment(post, -call.key.holder if call.key.kind == "group" else author, text, parent=parent)
        self.state.guids[place] = comment.id
        return {"comment_id": comment.id, "parents_stack": [comment.parent] if comment.parent else []}

    def edit_comment(self, call: Call) -> int:
        call.must_be_user()
        self._group(call, call.number("owner_id"))
        comment = self._comment(call, "comment_id")
        text = call.text("message", longest=LONGEST_POST)
        if not text:
            raise invalid("message is undefined")
        comment.text = text
        self.net.note(comment.owner, f"{comment.owner}_{comment.post}_{comment.id}", text, "edit")
        return 1

    def delete_comment(self, call: Call) -> int:
        call.must_be_user()
        self._group(call, call.number("owner_id"))
        comment = self._comment(call, "comment_id")
        comment.deleted = True
        self.state.posts[f"{comment.owner}_{comment.post}"].comments.remove(comment.id)
        told = {"owner_id": comment.owner, "id": comment.id, "post_id": comment.post, "user_id": max(comment.author, 0)}
        self.net.tell(self.state.groups[-comment.owner], "wall_reply_delete", told)
        self.net.note(comment.owner, f"{comment.owner}_{comment.post}_{comment.id}", "", "delete")
        return 1

    def _comment(self, call: Call, name: str) -> Comment:
        comment = self.state.comments.get(f"{call.number('owner_id')}_{call.number(name)}")
        if comment is None or comment.deleted:
            raise Trouble(104, "Not found")
        return comment

    def like(self, call: Call, *, liked: bool) -> Json:
        call.must_be_user()
        if call.text("type") != "comment":
            raise invalid("type")
        likes = self._comment(call, "item_id").likes
        (likes.add if liked else likes.discard)(call.key.holder)
        return {"likes": len(likes)}

    # Files

    def photo_server(self, call: Call) -> Json:
        call.must_be_user()
        call.must_have("photos")
        group = self._administered(call)
        url = self.net.place("photo", -group.id)
        return {"upload_url": url, "album_id": -14, "user_id": call.key.holder, "group_id": group.id}

    def _kept(self, call: Call, token: str, kind: str) -> list[str]:
        sent = self.state.sent.pop(token, None)
        if sent is None or sent[0] != kind:
            raise Trouble(121, "Invalid hash")
        return sent

    def save_photo(self, call: Call) -> list[Json]:
        call.must_be_user()
        if call.text("photo") in ("", "[]"):
            raise invalid("photos_list is invalid")
        _, owner, _name = self._kept(call, call.text("hash"), "photo")
        return [self.shows.photo(self._keep("photo", int(owner)))]

    def _keep(self, kind: str, owner: int, name: str = "", **more: Any) -> Media:
        media = Media(kind, self.net.new_id(), owner, self.net.now(), name, **more)
        self.state.media[f"{kind}{owner}_{media.id}"] = media
        return media

    def save_video(self, call: Call) -> Json:
        call.must_be_user()
        call.must_have("video")
        group = self._administered(call)
        media = self._keep("video", -group.id, call.text("name", longest=128) or "Untitled", ready=False)
        url = self.net.place("video", media.owner, media.id)
        named = {"video_id": media.id, "owner_id": media.owner, "title": media.name, "description": ""}
        return {"upload_url": url, "access_key": "494cb27d4cde22a64d", **named}

    def thumb_server(self, call: Call) -> Json:
        call.must_be_user()
        group = self._administered_owner(call)
        return {"upload_url": self.net.place("thumb", -group.id)}

    def _administered_owner(self, call: Call) -> Group:
        return self._group(call, call.number("owner_id"))

    def save_thumb(self, call: Call) -> Json:
        call.must_be_user()
        group = self._administered_owner(call)
        try:
            token = str(json.loads(call.text("thumb_json"))["sha"])
        except (ValueError, KeyError, TypeError):
            raise invalid("thumb_json") from None
        self._kept(call, token, "thumb")
        self.state.media[f"video-{group.id}_{call.number('video_id')}"].thumb = call.yes("set_thumb")
        return {"photo_id": self.net.new_id(), "photo_owner_id": -group.id, "photo_hash": token, "image": []}

    def doc_server(self, call: Call) -> Json:
        call.must_have("docs")
        return {"upload_url": self.net.place("doc", -self._administered(call).id)}

    def save_doc(self, call: Call) -> Json:
        call.must_have("docs")
        _, owner, name = self._kept(call, call.text("file"), "doc")
        media = self._keep("doc", int(owner), call.text("title") or name)
        return {"type": "doc", "doc": self.shows.doc(media)}

    def create_poll(self, call: Call) -> Json:
        call.must_be_user()
        group = self._administered_owner(call)
        try:
            answers = [str(one) for one in json.loads(call.text("add_answers"))]
        except ValueError:
            raise invalid("add_answers") from None
        fits = 1 <= len(answers) <= MOST_ANSWERS and all(0 < len(one) <= LONGEST_ANSWER for one in answers)
        if not fits or not call.text("question"):
            raise invalid("add_answers")
        media = self._keep("poll", -group.id, call.text("question"), answers=answers, multiple=call.yes("is_multiple"))
        return self.shows.poll(media)

    # Stories

    def story_server(self, call: Call, kind: str) -> Json:
        call.must_have("stories")
        return {"upload_url": self.net.place(kind, -self._administered(call).id), "user_ids": []}

    def save_story(self, call: Call) -> Json:
        call.must_have("stories")
        made = []
        for token in call.listed("upload_results"):
            kind, owner, _name = self.state.sent.pop(token, ["", "", ""])
            if not kind.startswith("story_"):
                raise Trouble(121, "Invalid hash")
            story = Story(self.net.new_id(), int(owner), kind.removeprefix("story_"), self.net.now())
            self.state.stories[f"{owner}_{story.id}"] = story
            self.net.note(story.owner, f"{owner}_{story.id}", "", "story", media=1)
            made.append(self.shows.story(story))
        return {"count": len(made), "items": made}

    def stories(self, call: Call) -> Json:
        owner = call.number("owner_id")
        alive = [one for one in self.state.stories.values() if one.owner == owner]
        fresh = [one for one in alive if self.net.now() - one.made_at < timedelta(days=1)]
        feed = {"type": "stories", "stories": [self.shows.story(one) for one in fresh]}
        return {"count": int(bool(fresh)), "items": [feed] if fresh else []}

    def delete_story(self, call: Call) -> int:
        self._administered_owner(call)
        if self.state.stories.pop(f"{call.number('owner_id')}_{call.number('story_id')}", None) is None:
            raise Trouble(104, "Not found")
        return 1

    def story_stats(self, call: Call) -> Json:
        self._administered_owner(call)
        story = self.state.stories.get(f"{call.number('owner_id')}_{call.number('story_id')}")
        if story is None:
            raise Trouble(104, "Not found")
        if self.net.now() - story.made_at >= timedelta(days=1):
            raise Trouble(1600, "Story has already expired")
        numbers = {"views": 5, "likes": 1, "replies": 0, "shares": 0, "subscribers": 0, "bans": 0, "open_link": 0}
        shown: Json = {name: {"state": "on", "count": count} for name, count in numbers.items()}
        return {**shown, "answer": {"state": "hidden"}}

    # Messages

    def conversations(self, call: Call) -> Json:
        call.must_be_group()
        call.must_have("messages")
        last = {one.person: one for one in self.state.messages if one.group == call.key.holder}
        items = [
            {"conversation": _conversation(one.person, one.id), "last_message": self.shows.message(one)}
            for one in sorted(last.values(), key=lambda one: one.id, reverse=True)[: call.number("count", 20)]
        ]
        people = {"profiles": self.shows.people(set(last))["profiles"]} if call.yes("extended") else {}
        return {"count": len(last), "items": items, **people}

    def history(self, call: Call) -> Json:
        call.must_be_group()
        call.must_have("messages")
        peer = call.number("peer_id")
        said = [one for one in self.state.messages if (one.group, one.person) == (call.key.holder, peer)]
        shown = [self.shows.message(one) for one in reversed(said)][: call.number("count", 20)]
        return {"count": len(said), "items": shown}

    def send(self, call: Call) -> int:
        call.must_be_group()
        call.must_have("messages")
        person = self.state.users.get(call.number("peer_id"))
        wrote = person is not None and any(
            (one.group, one.person, one.out) == (call.key.holder, person.id, False) for one in self.state.messages
        )
        if person is None or not wrote:
            raise Trouble(901, "Can't send messages for users without permission")
        place = f"message:{person.id}:{call.number('random_id')}"
        if call.number("random_id") and place in self.state.guids:
            return self.state.guids[place]
        text = call.text("message", longest=LONGEST_MESSAGE)
        message = self.net.write_to(self.state.groups[call.key.holder], person, text, out=True)
        self.state.guids[place] = message.id
        return message.id

    # Numbers

    def reach(self, call: Call) -> list[Json]:
        call.must_be_user()
        call.must_have("stats")
        group = self._administered_owner(call)
        if not self.net.tells_reach:
            raise denied("group is too small")
        posts = [self.state.posts.get(f"-{group.id}_{one}") for one in call.listed("post_ids")]
        return [
            {
                "post_id": post.id,
                "reach_total": post.seen - post.seen // 7,
                "reach_subscribers": len(post.likes),
                "links": len(post.likes),
                "to_group": 0,
                "join_group": 0,
                "hide": 0,
                "report": 0,
                "unsubscribe": 0,
            }
            for post in posts
            if post is not None
        ]

    def stats(self, call: Call) -> list[Json]:
        call.must_be_user()
        call.must_have("stats")
        group = self._administered(call)
        midnight = self.net.now().replace(hour=0, minute=0, second=0, microsecond=0)
        days = [midnight - timedelta(days=nth) for nth in range(call.number("intervals_count", 1))]
        return [
            {
                "period_from": unix(day),
                "period_to": unix(day + timedelta(days=1)) - 1,
                "visitors": {"views": self._seen(group, day.date()), "visitors": self._seen(group, day.date()) // 2},
                "reach": {"reach": self._seen(group, day.date()) // 2, "reach_subscribers": 0, "mobile_reach": 0},
            }
            for day in days
        ]

    def _seen(self, group: Group, day: Any) -> int:
        """Each post's views fall on the day it was made."""
        return sum(post.seen for post in self.net.wall(group) if post.made_at.date() == day)


def _mask(rights: list[str]) -> int:
    mask = 0
    for one in rights:
        mask |= BITS[one]
    return mask


def _conversation(person: int, last: int) -> Json:
    peer = {"id": person, "type": "user", "local_id": person}
    last_ids = {"last_message_id": last, "last_conversation_message_id": last, "out_read": last}
    return {"peer": peer, **last_ids, "in_read": 0, "version": 1, "is_marked_unread": False}
