"""Instagram's sandbox: the same accounts through Instagram's own login and, below ``/facebook``, through Facebook's."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from regie_sandbox.frame import World
from regie_sandbox.graph.base import LONG, Call, GraphNetwork, Node
from regie_sandbox.graph.state import Person
from regie_sandbox.graph.wire import Field, no_such
from regie_sandbox.instagram import shown
from regie_sandbox.instagram.deeds import Does
from regie_sandbox.instagram.state import Comment, Media, Message, Product, Shop, State, Thread, User

BY_INSTAGRAM = (
    "instagram_business_basic",
    "instagram_business_content_publish",
    "instagram_business_manage_comments",
    "instagram_business_manage_messages",
    "instagram_business_manage_insights",
)
MENTIONED = {  # field of an account -> its argument, and what it shows
    "mentioned_comment": ("comment_id", "IGComment"),
    "mentioned_media": ("media_id", "IGMedia"),
}
BY_FACEBOOK = (
    "instagram_basic",
    "instagram_content_publish",
    "instagram_manage_comments",
    "instagram_manage_insights",
    "instagram_manage_messages",
    "instagram_manage_contents",
    "pages_show_list",
    "pages_read_engagement",
    "business_management",
)


class Instagram(GraphNetwork):
    """``publish_limit``: posts through the API in 24 hours; ``ready_account()["facebook"]`` is the same account
    through the other login."""

    slug: ClassVar[str] = "instagram"
    platform = "instagram"
    state: State

    def __init__(self, world: World) -> None:
        self.state = State()
        self.publish_limit = 50
        super().__init__(world)
        self.fields = shown.fields(self)
        self.lists = shown.lists(self)
        self.does = Does(self)
        self.deeds = self.does.all()

    async def upload(self, call: Call) -> Any:
        return await self.does.receive(call)

    def find(self, object_id: str) -> Node | None:
        state = self.state
        if (user := state.users.get(object_id)) is not None:
            return ("IGUser", user) if user.professional else None
        if (person := state.people.get(object_id)) is not None:
            return "User", person
        if object_id in state.pages:
            return "Page", object_id
        if (app := state.apps.get(object_id)) is not None:
            return "Application", app
        for kind, rows in (
            ("IGContainer", state.containers),
            ("IGMedia", state.media),
            ("IGComment", state.comments),
            ("UnifiedThread", state.threads),
        ):
            if (found := rows.get(object_id)) is not None:
                return kind, found
        return None

    # Accounts

    def ready_account(self, name: str = "regie") -> dict[str, Any]:
        user = self.account(name)
        app = self.make_app()
        ready = self.state.ready
        if name not in ready:
            ready[name] = self.make_token(user.id, app, "instagram", BY_INSTAGRAM)
            ready[f"{name}/facebook"] = self.make_token(user.page, app, "page", BY_FACEBOOK, lasts=None)
            self.world.changes += 1
        facebook = {
            "server": f"{self.base}/facebook",
            "credentials": {"access_token": ready[f"{name}/facebook"]},
            "limits": {"page_id": user.page},
        }
        return {
            "server": self.base,
            "remote_id": user.id,
            "handle": f"@{user.username}",
            "credentials": {"access_token": ready[name]},
            "expires_at": (self.state.tokens[ready[name]].made_at + LONG).isoformat(),
            "facebook": facebook,
            "client_id": app.id,
            "client_secret": app.secret,
        }

    def user(self, name: str) -> User:
        """The person or account of that name, made when missing."""
        username = re.sub(r"[^a-z0-9._]+", "_", name.lower()).strip("_") or "somebody"
        known = self.state.names.get(name.lower()) or self.state.names.get(username)
        if known is not None:
            return self.state.users[known]
        user = User(self.new_id(), self.new_id(), username, name)
        self.state.users[user.id] = user
        self.state.names[username] = self.state.names[name.lower()] = user.id
        return user

    def account(self, name: str) -> User:
        """A professional account with its Page and the person who manages it."""
        user = self.user(name)
        if not user.professional:
            user.professional, user.page = True, self.new_id()
            self.state.pages[user.page] = user.id
            person = Person(self.new_id(), f"{name} manager", [user.page])
            self.state.people[person.id] = person
        return user

    def open_shop(self, name: str = "regie", *products: Product) -> Shop:
        """The account sells: what its catalogue holds."""
        user = self.account(name)
        user.shop = Shop(self.new_id(), f"{user.name} shop", list(products))
        return user.shop

    def token_of_person(self, name: str = "regie", *scopes: str) -> str:
        """That of whoever manages the account's Page, with what Facebook's login asks for and ``scopes``."""
        return self.make_token(
            self._person_of(self.account(name)).id, self.make_app(), "facebook", (*BY_FACEBOOK, *scopes)
        )

    def _person_of(self, user: User) -> Person:
        return next(one for one in self.state.people.values() if user.page in one.pages)

    def signing_in(self, way: str, name: str) -> str:
        """Whoever signs in on the page sells something, so that there are products to find."""
        user = self.account(name)
        if user.shop is None:
            self.open_shop(name, *(Product(self.new_id(), what) for what in ("Linen shirt", "Linen cap", "Wool hat")))
        return user.id if way == "instagram" else self._person_of(user).id

    def known_as(self, account: str | None) -> User:
        """By id, @handle or name; None: the ready one."""
        return self.state.users.get(account or "") or self.account((account or "regie").lstrip("@"))

    # The people

    def say(self, *, by: str, text: str, to: str | None = None, kind: str = "reply") -> str:
        person = self.user(by)
        if kind == "direct":
            story = self.state.media.get(to or "")
            account = self.state.users[story.user] if story is not None else self.known_as(to)
            return self.direct(person, account, text, answers=story.id if story is not None else "").id
        if kind == "story":
            return self.direct(person, self.known_as(to), "", names_in=self.new_id()).id
        if kind == "mention":
            return self.post_by(person, f"{text} @{self.known_as(to).username}").id
        if to is None:
            return self.post_by(person, text).id
        answered = self.state.comments.get(to)
        media = self.state.media[answered.media if answered is not None else to]
        return self.comment(media, person, text, parent=answered).id

    def comment(self, media: Media, by: User, text: str, *, parent: Comment | None = None) -> Comment:
        """An answer to an answer stands beside it."""
        top = self.state.comments[parent.parent] if parent is not None and parent.parent else parent
        made = Comment(self.new_id(), media.id, by.id, self.faults.rewritten(text), self.now(), top.id if top else "")
        self.state.comments[made.id] = made
        (top.replies if top is not None else media.comments).append(made.id)
        self.note(by, made.id, text, "reply" if by.professional else "comment")
        if by.id != media.user:
            value = {
                "from": {"id": by.scoped, "username": by.username},
                "media": {"id": media.id, "media_product_type": media.product},
                "id": made.id,
                "text": text,
                **({"parent_id": top.id} if top is not None else {}),
            }
            self.tell(media.user, "instagram", {"changes": [{"field": "comments", "value": value}]}, field="comments")
        for named in self._named_in(text):
            if named.id not in (media.user, by.id):
                about = {"media_id": media.id, "comment_id": made.id}
                self.tell(named.id, "instagram", {"changes": [{"field": "mentions", "value": about}]}, field="mentions")
        return made

    def _named_in(self, text: str) -> list[User]:
        users = [self.state.users.get(self.state.names.get(name, "")) for name in re.findall(r"@([a-z0-9._]+)", text)]
        return [user for user in users if user is not None and user.professional]

    def post_by(self, person: User, caption: str) -> Media:
        """Somebody's own picture; accounts named in its caption hear of it."""
        media = Media(self.new_id(), person.id, "IMAGE", "FEED", caption, self.now(), self.shortcode())
        self.state.media[media.id] = media
        person.media.append(media.id)
        for named in self._named_in(caption):
            media.tagged.append(named.id)
            value = {"media_id": media.id}
            self.tell(named.id, "instagram", {"changes": [{"field": "mentions", "value": value}]}, field="mentions")
        return media

    def direct(self, by: User, to: User, text: str, *, answers: str = "", names_in: str = "") -> Message:
        """``answers``: our story that it is said to; ``names_in``: a story of theirs that names the account."""
        account, person = (to, by) if to.professional else (by, to)
        thread = next(
            (one for one in self.state.threads.values() if (one.account, one.person) == (account.id, person.id)), None
        )
        if thread is None:
            thread = Thread(f"aWdfZAG06{self.new_id()}", account.id, person.id)
            self.state.threads[thread.id] = thread
        made = Message(f"aWdfZAG1faX{self.new_id()}", by.id, to.id, text, self.now(), answers, names_in)
        self.state.messages[made.id] = made
        thread.messages.append(made.id)
        if by.id == person.id:
            told = {
                "sender": {"id": person.scoped},
                "recipient": {"id": account.id},
                "timestamp": int(made.made_at.timestamp() * 1000),
                "message": {"mid": made.id, **({"text": text} if text else {}), **self._about(made)},
            }
            self.tell(account.id, "instagram", {"messaging": [told]}, field="messages")
        return made

    def _about(self, message: Message) -> dict[str, Any]:
        """The story that a message is about, as deliveries tell it."""
        if message.answers:
            url = f"{self.base}/_story/{message.answers}"
            return {"reply_to": {"story": {"id": message.answers, "url": url}}}
        if message.names_in:
            url = f"{self.base}/_story/{message.names_in}"
            return {"attachments": [{"type": "story_mention", "payload": {"url": url}}]}
        return {}

    def show(self, kind: str, found: Any, wanted: list[Field], call: Call) -> dict[str, Any]:
        """Of an account also where others named it, which is asked one by one, with Facebook's login."""
        mentions = [one for one in wanted if kind == "IGUser" and one.name in MENTIONED and call.way == "facebook"]
        shown = super().show(kind, found, [one for one in wanted if one not in mentions], call)
        return shown | {one.name: self._named(found, one, call) for one in mentions}

    def _named(self, user: User, asked: Field, call: Call) -> dict[str, Any]:
        call.must("instagram_manage_comments")
        argument, kind = MENTIONED[asked.name]
        number = asked.args.get(argument, "")
        one = self.state.comments.get(number) if kind == "IGComment" else self.state.media.get(number)
        said = one.text if isinstance(one, Comment) else one.caption if one is not None else ""
        if one is None or f"@{user.username}" not in said:
            raise no_such(number)
        return super().show(kind, one, asked.inner or [Field("id")], call)

    def like(self, *, by: str, post_id: str) -> None:
        media = self.state.media[post_id]
        if (person := self.user(by)).id not in media.likes:
            media.likes.add(person.id)
            self.note(person, media.id, "", "like")

    def share(self, *, by: str, post_id: str) -> bool:
        self.state.media[post_id].shares += 1
        return True

    def follow(self, *, by: str, account: str) -> None:
        self.known_as(account).followers.add(self.user(by).id)

    def unfollow(self, *, by: str, account: str) -> bool:
        self.known_as(account).followers.discard(self.user(by).id)
        return True

    def texts(self, account: str | None = None) -> list[str]:
        return [media.caption for media in self._published(account)]

    def posts(self, account: str | None = None) -> list[str]:
        return [media.id for media in self._published(account)]

    def _published(self, account: str | None) -> list[Media]:
        rows = (self.state.media[one] for one in self.known_as(account).media)
        return [media for media in rows if media.product != "STORY"]

    # Writing down

    def note(self, user: User, remote_id: str, text: str, kind: str, *, media: int = 0) -> None:
        self.world.ledger.accepted(
            network=self.slug, account=user.username, remote_id=remote_id, text=text, kind=kind, media=media
        )

    def shortcode(self) -> str:
        return f"D{self.world.rng.getrandbits(60):x}"
