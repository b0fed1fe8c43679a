"""The Bot API's methods. Limits are those of Bot API 10.1; refusals are worded as clients report them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regie_sandbox.telegram.chats import DELETABLE, Chats
from regie_sandbox.telegram.files import KINDS, Files
from regie_sandbox.telegram.state import BotRow, ChatRow, Json, full_info, member
from regie_sandbox.telegram.wire import Params, bad

LONGEST_TEXT, LONGEST_CAPTION = 4096, 1024  # code points
UNCHANGED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)
REACTIONS = frozenset("❤👍👎🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳💯🤣⚡🍌🏆💔🤨😐🍓🍾💋🖕😈😴😭🤓👻")

Method = Callable[[BotRow, Params], Any]


class Methods:
    """Every method but getUpdates and the webhook's, by lower-case name: the vendor does not look at case."""

    def __init__(self, chats: Chats) -> None:
        self.chats, self.files = chats, Files(chats)
        self.by_name: dict[str, Method] = {
            "getme": self.get_me,
            "getchat": self.get_chat,
            "getchatmember": self.get_chat_member,
            "getchatadministrators": self.get_chat_administrators,
            "getchatmembercount": self.get_chat_member_count,
            "getfile": self.get_file,
            "sendmessage": self.send_message,
            "sendphoto": self.send_photo,
            "sendvideo": self.send_video,
            "senddocument": self.send_document,
            "sendaudio": self.send_audio,
            "editmessagemedia": self.edit_message_media,
            "sendmediagroup": self.send_media_group,
            "sendpoll": self.send_poll,
            "sendchataction": self.send_chat_action,
            "stoppoll": self.stop_poll,
            "editmessagetext": self.edit_message_text,
            "editmessagecaption": self.edit_message_caption,
            "deletemessage": self.delete_message,
            "deletemessages": self.delete_messages,
            "setmessagereaction": self.set_message_reaction,
            "pinchatmessage": self.pin_chat_message,
            "unpinchatmessage": self.unpin_chat_message,
        }

    # About the bot and its chats.

    def get_me(self, bot: BotRow, params: Params) -> Json:
        return bot.user() | {
            "can_join_groups": True,
            "can_read_all_group_messages": bot.reads_all,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }

    def get_chat(self, bot: BotRow, params: Params) -> Json:
        row = self.chats.found(bot, params.values.get("chat_id"))
        return full_info(row, self.chats.state.chats.get(row.parent or 0))

    def get_chat_member(self, bot: BotRow, params: Params) -> Json:
        row = self.chats.found(bot, params.values.get("chat_id"))
        user = params.number("user_id")
        known = self.chats.everyone()
        someone = next((each for each in known if each.id == user), None)
        if someone is None:
            raise bad("PARTICIPANT_ID_INVALID")
        if row.type == "channel" and bot.id not in row.members:
            raise bad("member list is inaccessible")
        return member(row, someone.user())

    def get_chat_administrators(self, bot: BotRow, params: Params) -> list[Json]:
        row = self.chats.found(bot, params.values.get("chat_id"))
        everyone = self.chats.everyone()
        return [
            member(row, each.user()) for each in everyone if row.members.get(each.id) in ("creator", "administrator")
        ]

    def get_chat_member_count(self, bot: BotRow, params: Params) -> int:
        row = self.chats.found(bot, params.values.get("chat_id"))
        return row.crowd + sum(status not in ("left", "kicked") for status in row.members.values())

    def get_file(self, bot: BotRow, params: Params) -> Json:
        file_id = params.text("file_id")
        content = self.chats.world.files.get(f"telegram-{file_id}")
        if content is None:
            raise bad("invalid file_id")
        path = f"photos/{file_id}.jpg"
        return {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_size": len(content), "file_path": path}

    # Sending.

    def send_message(self, bot: BotRow, params: Params) -> Json:
        row = self.chats.writable(bot, params.values.get("chat_id"))
        text = _checked(params, "text", LONGEST_TEXT, "message is too long")
        if not text:
            raise bad("message text is empty")
        content = self.chats.text_of(text) | _manner(row, params) | _preview(params)
        return self.chats.sent(bot, row, content, reply_to=_reply(row, params))

    def send_photo(self, bot: BotRow, params: Params) -> Json:
        return self._send_file(bot, params, "photo")

    def send_video(self, bot: BotRow, params: Params) -> Json:
        return self._send_file(bot, params, "video")

    def send_document(self, bot: BotRow, params: Params) -> Json:
        return self._send_file(bot, params, "document")

    def send_audio(self, bot: BotRow, params: Params) -> Json:
        return self._send_file(bot, params, "audio")

    def _send_file(self, bot: BotRow, params: Params, kind: str) -> Json:
        row = self.chats.writable(bot, params.values.get("chat_id"), f"{kind}s")
        said = {**params.values, "caption": params.text("caption"), "has_spoiler": params.yes("has_spoiler")}
        content = self.files.content(params, kind, params.text(kind) or f"attach://{kind}", said)
        content |= self._caption(params.text("caption")) | _manner(row, params)
        return self.chats.sent(bot, row, content, reply_to=_reply(row, params), media=1)

    def send_media_group(self, bot: BotRow, params: Params) -> list[Json]:
        row = self.chats.writable(bot, params.values.get("chat_id"), "photos")
        media = params.json("media")
        if not isinstance(media, list) or len(media) < 2:
            raise bad("there must be 2-10 messages to send as an album")
        if len(media) > 10:
            raise bad("too many messages to send as an album")
        kinds = {str(part.get("type")) for part in media}
        if len(kinds) > 1 and not kinds <= {"photo", "video"}:
            raise bad(f"{sorted(kinds)[0]} can't be mixed with other media types")
        contents = [self._input_media(params, part) for part in media]  # all are looked at before any is sent
        reply, group = _reply(row, params), str(self.chats.fresh_id())
        manner = _manner(row, params)
        sent = [self.chats.write_as(bot, row, part | manner | {"media_group_id": group}, reply) for part in contents]
        self.chats.record(row, sent[0], kind="post" if reply is None else "reply", media=len(sent))
        return sent

    def _input_media(self, params: Params, part: Json) -> Json:
        kind = str(part.get("type"))
        if kind not in KINDS:
            raise bad("can't parse InputMedia: type is unknown")
        caption = str(part.get("caption") or "")
        return self.files.content(params, kind, str(part.get("media", "")), part) | self._caption(caption)

    def _caption(self, caption: str) -> Json:
        return self.chats.text_of(caption.strip(), "caption", "caption_entities") if caption.strip() else {}

    def send_poll(self, bot: BotRow, params: Params) -> Json:
        row = self.chats.writable(bot, params.values.get("chat_id"), "polls")
        if row.parent is not None:
            raise bad("polls can't be sent to channel direct messages chats")
        poll = self._poll(params)
        message = self.chats.sent(bot, row, {"poll": poll} | _manner(row, params), reply_to=_reply(row, params))
        self.chats.state.polls[poll["id"]] = f"{row.id}:{message['message_id']}"
        return message

    def _poll(self, params: Params) -> Json:
        question, description = params.text("question").strip(), params.text("description").strip()
        if not question:
            raise bad("poll question must be non-empty")
        if len(question) > 300:
            raise bad("poll question length must not exceed 300")
        if len(description) > LONGEST_CAPTION:
            raise bad("message caption is too long")
        period = params.number("open_period")
        if period is not None and not 5 <= period <= 2_628_000:
            raise bad("poll open period must be between 5 and 2628000 seconds")
        poll: Json = {
            "id": str(self.chats.fresh_id()),
            "question": self.chats.faults.rewritten(question),
            "options": _options(params.json("options")),
            "total_voter_count": 0,
            "is_closed": params.yes("is_closed"),
            "is_anonymous": params.text("is_anonymous", "true").lower() != "false",
            "type": params.text("type", "regular"),
            "allows_multiple_answers": params.yes("allows_multiple_answers"),
            "allows_revoting": params.text("allows_revoting", "true").lower() != "false",
            "members_only": params.yes("members_only"),
        }
        if description:
            poll["description"] = description
        if poll["type"] == "quiz":
            poll |= _quiz(params, len(poll["options"])) | {"allows_revoting": False}
        if period is not None:
            poll |= {"open_period": period, "close_date": self.chats.now() + period}
        return poll

    def stop_poll(self, bot: BotRow, params: Params) -> Json:
        _, message = self._mine(bot, params, "message with poll to stop not found")
        if "poll" not in message:
            raise bad("message is not a poll")
        message["poll"] = message["poll"] | {"is_closed": True}
        poll: Json = message["poll"]
        return poll

    def send_chat_action(self, bot: BotRow, params: Params) -> bool:
        self.chats.found(bot, params.values.get("chat_id"))
        return True

    # Changing.

    def edit_message_text(self, bot: BotRow, params: Params) -> Json:
        row, message = self._mine(bot, params, "message to edit not found")
        if "text" not in message:
            raise bad("there is no text in the message to edit")
        text = _checked(params, "text", LONGEST_TEXT, "message is too long")
        if not text:
            raise bad("message text is empty")
        content = self.chats.text_of(text) | _preview(params)
        return self._edited(row, message, "text", content, "entities", "link_preview_options")

    def edit_message_caption(self, bot: BotRow, params: Params) -> Json:
        row, message = self._mine(bot, params, "message to edit not found")
        if not KINDS.intersection(message):
            raise bad("there is no caption in the message to edit")
        caption = _checked(params, "caption", LONGEST_CAPTION, "message caption is too long")
        return self._edited(row, message, "caption", self._caption(caption), "caption_entities")

    def edit_message_media(self, bot: BotRow, params: Params) -> Json:
        row, message = self._mine(bot, params, "message to edit not found")
        part = params.json("media")
        if not isinstance(part, dict):
            raise bad("can't parse InputMedia")
        was = next((kind for kind in KINDS if kind in message), "")
        if "media_group_id" in message and _shelf(was) != _shelf(str(part.get("type"))):
            raise bad("message can't be edited to another type of media in an album")
        names = (was or "text", "entities", "caption", "caption_entities", "has_media_spoiler")
        return self._edited(row, message, was or "text", self._input_media(params, part), *names[1:])

    def _edited(self, row: ChatRow, message: Json, name: str, content: Json, *others: str) -> Json:
        """A message with something else under ``name`` and under those that go with it."""
        if all(message.get(one) == content.get(one) for one in (name, *others)):
            raise bad(UNCHANGED)
        kept = {key: value for key, value in message.items() if key not in (name, *others)}
        changed = kept | content | {"edit_date": self.chats.now()}
        row.messages[message["message_id"]] = changed
        self.chats.record(row, changed, kind="edit")
        self._edit_forward(row, changed, name, *others, *content)
        return changed

    def _edit_forward(self, row: ChatRow, changed: Json, *names: str) -> None:
        """The copy in the discussion group says the same from now on."""
        forward = row.forwards.get(changed["message_id"])
        if forward is None:
            return
        copies = self.chats.state.chats[row.linked or 0].messages
        if copy := copies.get(forward):
            kept = {key: value for key, value in copy.items() if key not in names}
            copies[forward] = kept | {name: changed[name] for name in names if name in changed}

    def delete_message(self, bot: BotRow, params: Params) -> bool:
        row = self.chats.found(bot, params.values.get("chat_id"))
        message = row.messages.get(params.number("message_id") or 0)
        if message is None:
            raise bad("message to delete not found")
        if not self._may_delete(bot, row, message):
            raise bad("message can't be deleted for everyone")
        self._remove(row, message)
        return True

    def delete_messages(self, bot: BotRow, params: Params) -> bool:
        row = self.chats.found(bot, params.values.get("chat_id"))
        wanted = params.json("message_ids")
        if not isinstance(wanted, list) or not 1 <= len(wanted) <= 100:
            raise bad("there must be 1-100 message identifiers")
        for number in wanted:
            message = row.messages.get(int(number))
            if message is not None and self._may_delete(bot, row, message):
                self._remove(row, message)
        return True

    def _may_delete(self, bot: BotRow, row: ChatRow, message: Json) -> bool:
        own = message.get("from", {}).get("id") == bot.id or "sender_chat" in message
        if row.parent is not None:
            return self.chats.state.chats[row.parent].may(bot.id, "can_manage_direct_messages")
        right = "can_post_messages" if row.type == "channel" else "can_delete_messages"
        allowed = row.may(bot.id, right) or (own and row.type != "channel")
        return allowed and self.chats.now() - message["date"] < DELETABLE.total_seconds()

    def _remove(self, row: ChatRow, message: Json) -> None:
        del row.messages[message["message_id"]]
        forward = row.forwards.pop(message["message_id"], None)
        if forward is not None:
            self.chats.state.chats[row.linked or 0].messages.pop(forward, None)
        self.chats.record(row, message, kind="delete")

    def _mine(self, bot: BotRow, params: Params, missing: str) -> tuple[ChatRow, Json]:
        """A message that this bot may change: its own, or a post of its channel."""
        row = self.chats.found(bot, params.values.get("chat_id"))
        message = row.messages.get(params.number("message_id") or 0)
        if message is None:
            raise bad(missing)
        if row.type == "channel" and not row.may(bot.id, "can_post_messages"):
            raise bad("need administrator rights in the channel chat")
        if row.type != "channel" and message.get("from", {}).get("id") != bot.id:
            raise bad("message can't be edited")
        return row, message

    def set_message_reaction(self, bot: BotRow, params: Params) -> bool:
        row = self.chats.found(bot, params.values.get("chat_id"))
        number = params.number("message_id") or 0
        if number not in row.messages:
            raise bad("message to react not found")
        wanted = params.json("reaction") or []
        if len(wanted) > 1:
            raise bad("REACTIONS_TOO_MANY")
        emoji = str(wanted[0].get("emoji", "")) if wanted else ""
        if emoji and emoji not in REACTIONS:
            raise bad("REACTION_INVALID")
        self.chats.react(row, number, bot.user(), emoji)
        self.chats.world.ledger.accepted(
            network="telegram",
            account=self.chats.account_of(row),
            remote_id=f"{row.id}:{number}",
            text=emoji,
            kind="like" if emoji else "unlike",
        )
        return True

    def pin_chat_message(self, bot: BotRow, params: Params) -> bool:
        row = self.chats.found(bot, params.values.get("chat_id"))
        number = params.number("message_id") or 0
        if number not in row.messages:
            raise bad("message to pin not found")
        right = "can_edit_messages" if row.type == "channel" else "can_pin_messages"
        if row.type != "private" and not row.may(bot.id, right):
            raise bad("not enough rights to manage pinned messages in the chat")
        row.pinned = number
        return True

    def unpin_chat_message(self, bot: BotRow, params: Params) -> bool:
        row = self.chats.found(bot, params.values.get("chat_id"))
        if row.pinned is None:
            raise bad("message to unpin not found")
        row.pinned = None
        return True


def _checked(params: Params, name: str, longest: int, too_long: str) -> str:
    if params.text("parse_mode"):
        raise bad("unsupported parse_mode")
    text = params.text(name).strip()
    if len(text) > longest:
        raise bad(too_long)
    return text


def _reply(row: ChatRow, params: Params) -> int | None:
    wanted = params.json("reply_parameters")
    number = int(wanted["message_id"]) if wanted else params.number("reply_to_message_id")
    if number is None or number in row.messages:
        return number
    if wanted and wanted.get("allow_sending_without_reply"):
        return None
    raise bad("message to be replied not found")


def _preview(params: Params) -> Json:
    wanted = params.json("link_preview_options")
    return {"link_preview_options": wanted} if wanted else {}


def _shelf(kind: str) -> str:
    """Kinds that stand together in an album."""
    return "seen" if kind in ("photo", "video") else kind


def _quiz(params: Params, options: int) -> Json:
    right, explanation = params.json("correct_option_ids"), params.text("explanation").strip()
    if not isinstance(right, list) or not right or right != sorted(set(right)):
        raise bad("quiz must have at least one correct option")
    if not all(isinstance(one, int) and 0 <= one < options for one in right):
        raise bad("wrong correct option ID specified")
    if len(explanation) > 200 or explanation.count("\n") > 2:
        raise bad("explanation is too long")
    return {"correct_option_ids": right} | ({"explanation": explanation} if explanation else {})


def _options(given: Any) -> list[Json]:
    options = [each.get("text", "") if isinstance(each, dict) else str(each) for each in given or []]
    if not options:
        raise bad("poll must have at least 1 option")
    if len(options) > 12:
        raise bad("poll can't have more than 12 options")
    if any(not option.strip() for option in options):
        raise bad("poll options must be non-empty")
    if any(len(option) > 100 for option in options):
        raise bad("poll options length must not exceed 100")
    return [{"persistent_id": str(place), "text": option, "voter_count": 0} for place, option in enumerate(options)]


def _manner(row: ChatRow, params: Params) -> Json:
    """What a message shows of the way it was sent, and of the person whom it is for."""
    manner: Json = {"has_protected_content": True} if params.yes("protect_content") else {}
    if row.parent is None:
        return manner
    topic = row.topics.get(params.number("direct_messages_topic_id") or 0)
    if topic is None:
        raise bad("channel direct messages topic must be specified")
    return manner | {"direct_messages_topic": topic}
