"""VK's sandbox: communities with a wall, stories and messages, and the servers that take their files."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from aiohttp import BodyPartReader, web

from regie_sandbox.films import looked_at
from regie_sandbox.frame import Network, World
from regie_sandbox.vk.callbacks import Callbacks
from regie_sandbox.vk.methods import Methods
from regie_sandbox.vk.shown import Shows
from regie_sandbox.vk.state import Comment, Group, Key, Message, Post, State, User
from regie_sandbox.vk.wire import CODES, UNKNOWN, Call, Trouble, answered, invalid, params_of

LARGEST_REQUEST = 400 * 1024 * 1024
OF_GROUP = ("manage", "wall", "messages", "docs", "stories", "photos")
OF_USER = ("photos", "video", "stories", "wall", "docs", "groups", "stats", "offline")
PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8")


class Vk(Network):
    """``calls_a_second``: None for no limit; ``tells_reach``: as VK does of communities
    that are large enough."""

    slug: ClassVar[str] = "vk"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        self.calls_a_second: int | None = None
        self.tells_reach = True
        self._recent: dict[str, list[datetime]] = {}
        self.callbacks = Callbacks(world.seed)
        super().__init__(world)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=LARGEST_REQUEST)
        app.router.add_route("*", "/method/{method}", self.call)
        app.router.add_post("/upload/{place}", self.take)
        app.router.add_get("/news/{group}", self.listen)
        app.cleanup_ctx.append(self.callbacks.while_served)
        return app

    def vendor_error(self, status: int) -> tuple[Mapping[str, str], Any]:
        return {}, Trouble(*CODES.get(status, UNKNOWN)).body()

    async def call(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        try:
            params = await params_of(request)
            call = Call(method, params, self._key(request, params))
            return answered({"response": self.answer(call)})
        except Trouble as trouble:
            return answered(trouble.body(method))

    def answer(self, call: Call) -> Any:
        found = Methods(self).all().get(call.method)
        if found is None:
            raise Trouble(3, "Unknown method passed")
        return found(call)

    def _key(self, request: web.Request, params: Mapping[str, str]) -> Key:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        value = params.get("access_token", "") or bearer
        key = self.state.keys.get(value)
        if key is None:
            raise Trouble(5, "User authorization failed: invalid access_token (4).")
        if not params.get("v"):
            raise Trouble(8, "Invalid request: v (version) is required")
        self._count(value)
        return key

    def _count(self, value: str) -> None:
        if self.calls_a_second is None:
            return
        now = self.now()
        recent = [at for at in self._recent.get(value, ()) if at > now - timedelta(seconds=1)]
        if len(recent) >= self.calls_a_second:
            raise Trouble(6, "Too many requests per second")
        self._recent[value] = [*recent, now]

    # Files

    def place(self, kind: str, owner: int, media: int = 0) -> str:
        """An address that takes one kind of file."""
        name = secrets.token_hex(12)
        self.state.places[name] = [kind, str(owner), str(media)]
        return f"{self.base}/upload/{name}?hash={secrets.token_hex(8)}"

    async def take(self, request: web.Request) -> web.Response:
        """Its answers are of its own shape, and 200 whatever happens."""
        kind, owner, media = self.state.places.get(request.match_info["place"], ["", "0", "0"])
        field, name, content = await _file(request)
        wanted = {"photo": "photo", "video": "video_file", "story_video": "video_file"}.get(kind, "file")
        if not kind or field != wanted or not content:
            return answered({"error": "ERR_UPLOAD_BAD_REQUEST: bad file field"})
        token = secrets.token_hex(12)
        self.state.sent[token] = [kind, owner, name]
        match kind:
            case "photo":
                good = content.startswith(PICTURES)
                photo = f'[{{"photo":"{token}","sizes":[]}}]' if good else "[]"
                return answered({"server": 856_312, "photo": photo, "hash": token})
            case "video":
                if looked_at(content) is None:
                    return answered({"error": "unknown format"})
                self.state.media[f"video{owner}_{media}"].ready = True
                return answered({"size": len(content), "video_id": int(media), "owner_id": int(owner)})
            case "doc":
                return answered({"file": token})
            case "thumb":
                return answered({"sha": token, "secret": token, "meta": {}})
        fits = content.startswith(PICTURES) if kind == "story_photo" else looked_at(content) is not None
        return answered(
            {"response": {"upload_result": token}} if fits else {"error": {"error_code": 1, "error_msg": "bad file"}}
        )

    # News on an open line

    def tell(self, group: Group, kind: str, about: dict[str, Any]) -> None:
        told = {
            "type": kind,
            "object": about,
            "group_id": group.id,
            "event_id": secrets.token_hex(20),
            "v": "5.199",
        }
        if kind in group.wants:
            group.news.append(told)
        self.callbacks.tell(group, told)

    def line_key(self, group: Group) -> str:
        return hashlib.sha256(f"{self.world.seed}:{group.id}".encode()).hexdigest()[:40]

    async def listen(self, request: web.Request) -> web.Response:
        group = self.state.groups.get(int(request.match_info["group"]))
        asked = request.query
        if group is None or asked.get("act") != "a_check" or asked.get("key") != self.line_key(group):
            return answered({"failed": 2})
        ts = int(asked.get("ts", "0"))
        if ts < group.forgotten:
            return answered({"failed": 1, "ts": str(len(group.news))})
        until = time.monotonic() + min(float(asked.get("wait", "25")), 90)
        while len(group.news) <= ts and time.monotonic() < until:  # noqa: ASYNC110 - people speak from other threads
            await asyncio.sleep(0.05)
        return answered({"ts": str(max(ts, len(group.news))), "updates": group.news[ts:]})

    # Communities and people

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        group = self.group(name)
        if name not in self.state.ready:
            self.state.ready[name] = {
                "community_key": self.make_key("group", group.id, OF_GROUP),
                "admin_key": self.make_key("user", group.admins[0], OF_USER),
            }
            self.world.changes += 1
        return {
            "server": self.base,
            "remote_id": str(group.id),
            "handle": f"@{group.screen_name}",
            "credentials": dict(self.state.ready[name]),
        }

    def make_key(self, kind: str, holder: int, rights: tuple[str, ...]) -> str:
        value = f"vk1.a.{secrets.token_urlsafe(60)}"
        self.state.keys[value] = Key(kind, holder, list(rights))
        return value

    def group(self, name: str) -> Group:
        """The community of that name with a person who administers it, made when missing."""
        if (known := self.state.names.get(f"group:{name.lower()}")) is not None:
            return self.state.groups[known]
        admin = self.person(f"{name} Admin")
        group = Group(self.new_id(), name, _screen_name(name), [admin.id])
        self.state.groups[group.id] = group
        self.state.names[f"group:{name.lower()}"] = self.state.names[f"group:{group.screen_name}"] = group.id
        return group

    def person(self, name: str) -> User:
        if (known := self.state.names.get(name.lower())) is not None:
            return self.state.users[known]
        user = User(self.new_id(), name, _screen_name(name))
        self.state.users[user.id] = user
        self.state.names[name.lower()] = user.id
        return user

    def known_as(self, account: str | None) -> Group:
        """By number, @handle or name; None: the ready one."""
        if account and account.lstrip("-").isdigit() and int(account.lstrip("-")) in self.state.groups:
            return self.state.groups[int(account.lstrip("-"))]
        return self.group((account or "regie").lstrip("@"))

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        person = self.person(by)
        if kind == "direct":
            return f"direct:{self.write_to(self.known_as(to), person, text).id}"
        if kind == "mention" or to is None:  # on a page of their own, of which VK tells us nothing
            elsewhere = f"{person.id}_{self.new_id()}"
            self.note(person.id, elsewhere, text, "post")
            return elsewhere
        owner, number, *rest = to.split("_")
        post = self.state.posts[f"{owner}_{number}"]
        parent = self.state.comments.get(f"{owner}_{rest[0]}") if rest else None
        comment = self.comment(post, person.id, text, parent=parent)
        return f"{owner}_{number}_{comment.id}"

    def comment(self, post: Post, author: int, text: str, *, parent: Comment | None = None) -> Comment:
        """An answer to an answer stands in the same thread."""
        top = parent if parent is None or not parent.parent else self.state.comments[f"{post.owner}_{parent.parent}"]
        made = Comment(
            self.new_id(), post.owner, post.id, author, self.faults.rewritten(text), self.now(), top.id if top else 0
        )
        self.state.comments[f"{post.owner}_{made.id}"] = made
        post.comments.append(made.id)
        if top is not None:
            top.replies.append(made.id)
        self.tell(self.state.groups[-post.owner], "wall_reply_new", self.shows.comment(made))
        self.note(author, f"{post.owner}_{post.id}_{made.id}", text, "reply" if author < 0 else "comment")
        return made

    def write_to(self, group: Group, person: User, text: str, *, out: bool = False) -> Message:
        message = Message(self.new_id(), group.id, person.id, out, text, self.now())
        self.state.messages.append(message)
        if not out:
            self.tell(group, "message_new", {"message": self.shows.message(message), "client_info": {}})
        author = -group.id if out else person.id
        self.note(author, f"direct:{message.id}", text, "reply" if out else "message")
        return message

    def like(self, *, by: str, post_id: str) -> None:
        post, person = self.state.posts[post_id], self.person(by)
        if person.id not in post.likes:
            post.likes.add(person.id)
            post.seen += 7
            self.note(person.id, post_id, "", "like")

    def share(self, *, by: str, post_id: str) -> bool:
        self.state.posts[post_id].reposts += 1
        return True

    def follow(self, *, by: str, account: str) -> None:
        self.known_as(account).members.add(self.person(by).id)

    def unfollow(self, *, by: str, account: str) -> bool:
        self.known_as(account).members.discard(self.person(by).id)
        return True

    def texts(self, account: str | None = None) -> list[str]:
        return [post.text for post in self.wall(self.known_as(account))]

    def posts(self, account: str | None = None) -> list[str]:
        return [f"{post.owner}_{post.id}" for post in self.wall(self.known_as(account))]

    def wall(self, group: Group) -> list[Post]:
        """Oldest first."""
        return [self.state.posts[f"-{group.id}_{one}"] for one in group.wall]

    # What all have in common

    def now(self) -> datetime:
        return self.world.clock.now()

    def new_id(self) -> int:
        self.state.last_id += secrets.randbelow(90) + 1
        return self.state.last_id

    @property
    def shows(self) -> Shows:
        return Shows(self.state, self.base)

    def note(self, author: int, remote_id: str, text: str, kind: str, *, key: str = "", media: int = 0) -> None:
        who = self.state.groups[-author].screen_name if author < 0 else self.state.users[author].screen_name
        self.world.ledger.accepted(
            network=self.slug, account=who, remote_id=remote_id, text=text, kind=kind, key=key, media=media
        )


def _screen_name(name: str) -> str:
    return re.sub(r"[^a-z0-9_.]+", "_", name.lower()).strip("_") or "somebody"


async def _file(request: web.Request) -> tuple[str, str, bytes]:
    """The first file of a form: its field, its name, its bytes."""
    if not request.content_type.startswith("multipart/"):
        raise web.HTTPBadRequest(text=str(invalid("multipart/form-data is needed")))
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.filename:
            return str(part.name), part.filename, bytes(await part.read(decode=False))
    return "", "", b""
