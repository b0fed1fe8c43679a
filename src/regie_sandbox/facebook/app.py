"""Facebook's sandbox: Pages, the people who manage them, and those who speak to them."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from regie_sandbox.facebook import shown
from regie_sandbox.facebook.deeds import Does
from regie_sandbox.facebook.state import Comment, Guest, Message, Page, Post, State, Thread, Video
from regie_sandbox.frame import World
from regie_sandbox.graph.base import Call, GraphNetwork, Node
from regie_sandbox.graph.state import Person

SCOPES = (
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_posts",
    "pages_manage_engagement",
    "pages_read_user_content",
    "pages_messaging",
    "pages_manage_metadata",
    "read_insights",
    "business_management",
)


class Facebook(GraphNetwork):
    """``reels_among_posts``: whether a Reel's post is listed with the others too."""

    slug: ClassVar[str] = "facebook"
    platform = "pages"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        self.reels_among_posts = True
        super().__init__(world)
        self.fields = shown.fields(self)
        self.lists = shown.lists(self)
        self.does = Does(self)
        self.deeds = self.does.all()

    async def upload(self, call: Call) -> Any:
        return await self.does.receive(call)

    def find(self, object_id: str) -> Node | None:
        state = self.state
        for kind, rows in (
            ("Page", state.pages),
            ("PagePost", state.posts),
            ("Comment", state.comments),
            ("AdVideo", state.videos),
            ("Photo", state.photos),
            ("UnifiedThread", state.threads),
            ("User", state.people),
            ("Application", state.apps),
        ):
            if (found := rows.get(object_id)) is not None:
                return kind, found
        return None

    # Accounts

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        page = self.page_named(name)
        app = self.make_app()
        if name not in self.state.ready:
            self.state.ready[name] = self.page_token(page.id)
            self.world.changes += 1
        return {
            "server": self.base,
            "remote_id": page.id,
            "handle": page.username,
            "credentials": {"access_token": self.state.ready[name]},
            "client_id": app.id,
            "client_secret": app.secret,
        }

    def page_named(self, name: str) -> Page:
        """A Page and the person who manages it, made when missing."""
        known = self.state.names.get(name.lower())
        if known is None:
            username = re.sub(r"[^a-z0-9.]+", ".", name.lower()).strip(".") or "page"
            page = Page(self.new_id(), name, username)
            self.state.pages[page.id] = page
            self.state.names[name.lower()] = self.state.names[username] = page.id
            person = Person(self.new_id(), f"{name} manager", [page.id])
            self.state.people[person.id] = person
            return page
        return self.state.pages[known]

    def person_of(self, page: Page) -> Person:
        return next(one for one in self.state.people.values() if page.id in one.pages)

    def page_token(self, page: str) -> str:
        """One that does not run out, as a long-lived user token gives; the same each time."""
        for value, one in self.state.tokens.items():
            if (one.way, one.holder) == ("page", page):
                return value
        return self.make_token(page, self.make_app(), "page", SCOPES, lasts=None)

    def signing_in(self, way: str, name: str) -> str:
        return self.person_of(self.page_named(name)).id

    def known_as(self, account: str | None) -> Page:
        """By id, handle or name; None: the ready one."""
        return self.state.pages.get(account or "") or self.page_named((account or "regie").lstrip("@"))

    def guest(self, name: str) -> Guest:
        known = self.state.guest_names.get(name.lower())
        if known is None:
            guest = Guest(self.new_id(), name)
            self.state.guests[guest.id] = guest
            self.state.guest_names[name.lower()] = guest.id
            return guest
        return self.state.guests[known]

    def named(self, who: str) -> str:
        """The name of a Page or of a person."""
        page = self.state.pages.get(who)
        return page.name if page is not None else self.state.guests[who].name

    # The people

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        guest = self.guest(by)
        if kind == "direct":
            return self.direct(guest.id, self.known_as(to), text).id
        if kind == "mention" or to is None:
            return self.post_by(guest, text, self.known_as(to) if kind == "mention" else None).id
        return self.comment(self._thing(to), guest.id, text, parent=self.state.comments.get(to)).id

    def _thing(self, to: str) -> Post | Video:
        answered = self.state.comments.get(to)
        where = answered.under if answered is not None else to
        return self.state.posts[where] if where in self.state.posts else self.state.videos[where]

    def comment(self, under: Post | Video, by: str, text: str, *, parent: Comment | None = None) -> Comment:
        number = under.id.partition("_")[2] or under.id
        made = Comment(
            f"{number}_{self.new_id()}",
            under.id,
            by,
            self.faults.rewritten(text),
            self.now(),
            parent.id if parent else "",
        )
        self.state.comments[made.id] = made
        under.comments.append(made.id)
        is_page = by in self.state.pages
        self.note(self.named(by), made.id, text, "reply" if is_page else "comment")
        page = under.by if isinstance(under, Post) else under.page
        post = under.id if isinstance(under, Post) else under.post
        if not is_page and page in self.state.pages:
            value = {
                "item": "comment",
                "verb": "add",
                "comment_id": made.id,
                "post_id": post,
                "parent_id": parent.id if parent else post,
                "message": text,
                "created_time": int(made.made_at.timestamp()),
                "from": {"id": by, "name": self.named(by)},
            }
            self.tell(page, "page", {"changes": [{"field": "feed", "value": value}]}, field="feed")
        return made

    def advertise(self, text: str, account: str | None = None) -> str:
        """A post of the Page's that is shown as an advertisement only. Returns its id."""
        page = self.known_as(account)
        post = Post(f"{page.id}_{self.new_id()}", page.id, text, self.now())
        self.state.posts[post.id] = post
        page.ads.append(post.id)
        return post.id

    def post_by(self, guest: Guest, text: str, page: Page | None) -> Post:
        post = Post(f"{guest.id}_{self.new_id()}", guest.id, text, self.now())
        self.state.posts[post.id] = post
        if page is not None:
            post.tagged.append(page.id)
            value = {"item": "post", "verb": "add", "post_id": post.id, "message": text, "sender_id": guest.id}
            self.tell(page.id, "page", {"changes": [{"field": "mention", "value": value}]}, field="mention")
        return post

    def direct(self, by: str, page: Page, text: str, *, to: str = "") -> Message:
        person = by if by != page.id else to
        thread = next((one for one in self.state.threads.values() if (one.page, one.person) == (page.id, person)), None)
        if thread is None:
            thread = Thread(f"t_{self.new_id()}", page.id, person)
            self.state.threads[thread.id] = thread
        made = Message(f"m_{self.new_id()}", by, person if by == page.id else page.id, text, self.now())
        self.state.messages[made.id] = made
        thread.messages.append(made.id)
        if by != page.id:
            told = {
                "sender": {"id": by},
                "recipient": {"id": page.id},
                "timestamp": int(made.made_at.timestamp() * 1000),
                "message": {"mid": made.id, "text": text},
            }
            self.tell(page.id, "page", {"messaging": [told]}, field="messages")
        return made

    def like(self, *, by: str, post_id: str) -> None:
        self._thing(post_id).likes.add(self.guest(by).id)
        self.note(by, post_id, "", "like")

    def share(self, *, by: str, post_id: str) -> bool:
        if (post := self.state.posts.get(post_id)) is not None:
            post.shares += 1
        return post is not None

    def follow(self, *, by: str, account: str) -> None:
        self.known_as(account).followers.add(self.guest(by).id)

    def unfollow(self, *, by: str, account: str) -> bool:
        self.known_as(account).followers.discard(self.guest(by).id)
        return True

    def texts(self, account: str | None = None) -> list[str]:
        return [text for _, text, _ in self._published(account)]

    def posts(self, account: str | None = None) -> list[str]:
        return [remote_id for remote_id, _, _ in self._published(account)]

    def _published(self, account: str | None) -> list[tuple[str, str, Any]]:
        page = self.known_as(account)
        rows = [self.state.posts[one] for one in page.posts]
        found = [(post.video or post.id, post.message, post.made_at) for post in rows if not post.story]
        reels = (self.state.videos[one] for one in page.reels)
        found += [(reel.id, reel.description, reel.made_at) for reel in reels if not reel.post]
        return sorted(found, key=lambda one: one[2])

    def note(self, account: str, remote_id: str, text: str, kind: str, *, media: int = 0) -> None:
        self.world.ledger.accepted(
            network=self.slug, account=account, remote_id=remote_id, text=text, kind=kind, media=media
        )
