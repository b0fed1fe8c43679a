"""Direct messages: a service of its own that requests are passed on to. Shapes: chat.bsky.convo.defs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from regie_sandbox.bluesky.call import Call, Handle
from regie_sandbox.bluesky.lexicon import graphemes
from regie_sandbox.bluesky.problem import Problem, invalid
from regie_sandbox.bluesky.state import Account, Convo, Message, Token
from regie_sandbox.bluesky.store import iso, tid

if TYPE_CHECKING:
    from regie_sandbox.bluesky.app import Bluesky

SERVICE = "did:web:api.bsky.chat#bsky_chat"
DEFS = "chat.bsky.convo.defs"
LONGEST, LONGEST_BYTES = 1000, 10_000


class Chat:
    def __init__(self, net: Bluesky) -> None:
        self.net = net
        self.handlers: dict[tuple[str, str], Handle] = {
            ("GET", "chat.bsky.convo.listConvos"): self._list,
            ("GET", "chat.bsky.convo.getConvoForMembers"): self._between,
            ("GET", "chat.bsky.convo.getMessages"): self._messages,
            ("POST", "chat.bsky.convo.sendMessage"): self._send,
        }

    def _who(self, call: Call) -> Token:
        """Only through the service's name in the header, and only with access to direct messages."""
        token = self.net.who(call)
        nsid = call.request.match_info["nsid"]
        if call.request.headers.get("atproto-proxy") != SERVICE:
            raise Problem(501, "MethodNotImplemented", "Method Not Implemented")
        if token.jkt and "transition:chat.bsky" not in token.scope.split():
            aud = SERVICE.replace("#", "%23")
            raise Problem(403, "ScopeMissingError", f'Missing required scope "rpc:{nsid}?aud={aud}"')
        if not token.jkt and not self.net.state.accounts[token.did].password_reads_chat:
            raise invalid("Bad token method", "InvalidToken")
        return token

    # What is asked

    def _list(self, call: Call) -> dict[str, Any]:
        me = self._who(call).did
        limit, before = call.number("limit", 50, 1, 100), call.request.query.get("cursor", "")
        mine = [one for one in self.net.state.convos.values() if me in one.members and (not before or one.rev < before)]
        page = sorted(mine, key=lambda one: one.rev, reverse=True)[:limit]
        more = {"cursor": page[-1].rev} if len(mine) > len(page) else {}
        return {"convos": [self._view(one, me) for one in page], **more}

    def _between(self, call: Call) -> dict[str, Any]:
        me = self._who(call).did
        others = [did for did in call.request.query.getall("members", []) if did != me]
        if len(others) != 1 or others[0] not in self.net.state.accounts:
            raise invalid("Recipient not found", "RecipientNotFound")
        return {"convo": self._view(self.convo(me, others[0]), me)}

    def _messages(self, call: Call) -> dict[str, Any]:
        me = self._who(call).did
        convo = self._mine(call.needed("convoId"), me)
        limit, before = call.number("limit", 50, 1, 100), call.request.query.get("cursor", "")
        there = [one for one in reversed(convo.messages) if not before or one.rev < before]
        page = there[:limit]
        more = {"cursor": page[-1].rev} if len(there) > len(page) else {}
        return {"messages": [shown(one) for one in page], **more}

    def _send(self, call: Call) -> dict[str, Any]:
        me, body = self._who(call).did, call.json()
        text = (body.get("message") or {}).get("text")
        if not isinstance(text, str) or not text:
            raise invalid('Error: Input/message must have the property "text"')
        if graphemes(text) > LONGEST or len(text.encode()) > LONGEST_BYTES:
            raise invalid(f"Error: Input/message/text must not be longer than {LONGEST} graphemes")
        sent = self.say(self.net.state.accounts[me], self._mine(str(body.get("convoId")), me), text)
        return {name: one for name, one in shown(sent).items() if name != "$type"}

    def _mine(self, convo_id: str, me: str) -> Convo:
        convo = self.net.state.convos.get(convo_id)
        if convo is None or me not in convo.members:
            raise invalid("Invalid convo", "InvalidConvo")
        return convo

    # What happens

    def convo(self, one: str, other: str) -> Convo:
        """The conversation of two, made when missing."""
        members = sorted((one, other))
        known = next((convo for convo in self.net.state.convos.values() if convo.members == members), None)
        if known is None:
            revision = self._revision()
            known = self.net.state.convos[revision] = Convo(revision, revision, members)
        return known

    def say(self, by: Account, convo: Convo, text: str) -> Message:
        revision = self._revision()
        message = Message(revision, revision, by.did, text, self.net.store.now())
        convo.messages.append(message)
        convo.rev = revision
        self.net.world.ledger.accepted(
            network=self.net.slug, account=by.did, remote_id=message.id, text=text, kind="direct"
        )
        return message

    def _revision(self) -> str:
        """As the vendor's: a TID, greater than any before."""
        state = self.net.state
        state.chat_clock = max(int(self.net.store.now().timestamp() * 1_000_000), state.chat_clock + 1)
        return tid(datetime.fromtimestamp(0, UTC) + timedelta(microseconds=state.chat_clock), 0)

    def _view(self, convo: Convo, me: str) -> dict[str, Any]:
        view = {
            "id": convo.id,
            "rev": convo.rev,
            "members": [self._member(did) for did in convo.members],
            "muted": False,
            "status": "accepted",
            "unreadCount": sum(1 for one in convo.messages if one.sender != me),
            "kind": {"$type": f"{DEFS}#directConvo"},
        }
        return view | ({"lastMessage": shown(convo.messages[-1])} if convo.messages else {})

    def _member(self, did: str) -> dict[str, Any]:
        account = self.net.state.accounts[did]
        return {"did": did, "handle": account.handle, "displayName": account.name}


def shown(one: Message) -> dict[str, Any]:
    return {
        "$type": f"{DEFS}#messageView",
        "id": one.id,
        "rev": one.rev,
        "text": one.text,
        "sender": {"did": one.sender},
        "sentAt": iso(one.sent_at),
    }
