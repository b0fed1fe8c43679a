"""What each call of the API does. Source: the description of API v5, 5.23.0."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader, web

from regie_sandbox.films import looked_at
from regie_sandbox.pinterest.state import Board, Pin, Upload
from regie_sandbox.pinterest.wire import Call, Json, Trouble, invalid, page_of, text_in, trouble_of

if TYPE_CHECKING:
    from regie_sandbox.pinterest.app import Pinterest

Deed = Callable[[Call], Any]
BEGINS = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n"}
LARGEST_PICTURE = 20 * 1024 * 1024
OF_PIN = frozenset("IMPRESSION OUTBOUND_CLICK PIN_CLICK SAVE SAVE_RATE TOTAL_COMMENTS TOTAL_REACTIONS".split())
OF_PICTURE = OF_PIN | {"USER_FOLLOW", "PROFILE_VISIT"}
OF_VIDEO = OF_PIN | {"VIDEO_MRC_VIEW", "VIDEO_10S_VIEW", "VIDEO_V50_WATCH_TIME", "VIDEO_START", "VIDEO_AVG_WATCH_TIME"}
OF_ACCOUNT = frozenset("ENGAGEMENT ENGAGEMENT_RATE IMPRESSION OUTBOUND_CLICK PIN_CLICK SAVE SAVE_RATE".split())
PINS, BOARDS = "boards:read pins:read", "boards:read"
WRITING = "boards:read boards:write pins:read pins:write"


class Does:
    def __init__(self, net: Pinterest) -> None:
        self.net = net

    def all(self) -> Iterable[tuple[str, str, str, Deed]]:
        """Method, path, the scopes it needs, what it does."""
        return (
            ("GET", "/user_account", "user_accounts:read", self.me),
            ("GET", "/user_account/analytics", "user_accounts:read", self.account_analytics),
            ("GET", "/boards", BOARDS, self.boards),
            ("GET", "/boards/{board_id}/sections", BOARDS, self.sections),
            ("GET", "/boards/{board_id}/pins", PINS, self.pins_of_board),
            ("POST", "/pins", WRITING, self.create),
            ("GET", "/pins", PINS, self.pins),
            ("GET", "/pins/{pin_id}", PINS, self.show),
            ("PATCH", "/pins/{pin_id}", WRITING, self.change),
            ("DELETE", "/pins/{pin_id}", WRITING, self.delete),
            ("GET", "/pins/{pin_id}/analytics", PINS, self.pin_analytics),
            ("POST", "/media", "pins:read pins:write", self.register),
            ("GET", "/media/{media_id}", "pins:read", self.upload),
        )

    # The account and its boards

    def me(self, call: Call) -> Json:
        return self.net.shows.user(self.net.state.users[call.user])

    def boards(self, call: Call) -> Json:
        privacy = call.query.get("privacy", "ALL")
        rows = [one for one in self.net.state.boards.values() if (one.owner, one.trial) == (call.user, call.trial)]
        seen = [one for one in rows if privacy in ("ALL", one.privacy) and one.privacy != "SECRET"]
        return page_of(seen, call.query, self.net.shows.board)

    def sections(self, call: Call) -> Json:
        board = self._board(call, call.part("board_id"))
        rows = list(board.sections.items())
        return page_of(rows, call.query, lambda one: {"id": one[0], "name": one[1]})

    def _board(self, call: Call, board_id: Any) -> Board:
        board = self.net.state.boards.get(str(board_id))
        if board is None or (board.owner, board.trial) != (call.user, call.trial):
            raise Trouble(404, 40, "Board not found.")
        return board

    # Pins

    def create(self, call: Call) -> tuple[int, Json]:
        if not call.trial and self.net.state.apps[call.token.app].access == "trial":
            raise Trouble(
                403,
                29,
                "Apps with Trial access may not create Pins in production https://api.pinterest.com - use API Sandbox "
                "https://api-sandbox.pinterest.com instead.",
            )
        net, body = self.net, call.body
        pin = Pin(net.new_id(), call.user, "", net.now(), trial=call.trial)
        self._words(call, pin)
        if not pin.board:
            raise invalid("'board_id' is a required property")
        self._media(call, pin, body.get("media_source"))
        net.state.pins[pin.id] = pin
        net.note(net.state.users[call.user], pin.id, pin.description, "post", media=len(pin.files) or 1)
        return 201, net.shows.pin(pin)

    def _words(self, call: Call, pin: Pin) -> None:
        """What a body says, checked whole before anything is kept."""
        body = call.body
        board = self._board(call, body["board_id"]) if "board_id" in body else None
        section = text_in(body, "board_section_id", 30)
        in_board = board or self.net.state.boards.get(pin.board)
        if section and (in_board is None or section not in in_board.sections):
            raise Trouble(404, 2031, "Board section not found.")
        kept = {
            "title": text_in(body, "title", 100),
            "description": self.net.faults.rewritten(text_in(body, "description", 800)),
            "alt": text_in(body, "alt_text", 500),
            "link": text_in(body, "link", 2048),
        }
        if kept["link"] and not kept["link"].startswith(("http://", "https://")):
            raise invalid("link is not a valid URL")
        for name, value in kept.items():
            if ("alt_text" if name == "alt" else name) in body:
                setattr(pin, name, value)
        if board is not None:
            pin.board, pin.section = board.id, section
        elif "board_section_id" in body:
            pin.section = section

    def _media(self, call: Call, pin: Pin, source: Any) -> None:
        if not isinstance(source, dict):
            raise invalid("'media_source' is a required property")
        match source.get("source_type"):
            case "image_base64":
                pin.files = [self._picture(source)]
            case "multiple_image_base64":
                items = source.get("items")
                if not isinstance(items, list) or not 2 <= len(items) <= 5:
                    raise invalid("items: between 2 and 5 are needed")
                pin.files = [self._picture(one) for one in items]
            case "image_url":
                if not str(source.get("url", "")).startswith(("http://", "https://")):
                    raise invalid("url is not a valid URL")
                pin.files = ["image/jpeg"]
            case "video_id":
                self._video(call, pin, source)
            case other:
                raise invalid(f"{other!r} is not a valid source_type")

    def _picture(self, source: Mapping[str, Any]) -> str:
        kind = source.get("content_type")
        if kind not in BEGINS:
            raise invalid(f"{kind!r} is not one of ['image/jpeg', 'image/png']")
        try:
            content = base64.b64decode(str(source.get("data", "")), validate=True)
        except binascii.Error:
            raise invalid("data is not base64") from None
        if not content.startswith(BEGINS[kind]) or len(content) > LARGEST_PICTURE:
            raise Trouble(400, 235, "Sorry! We could not use the image you sent.")
        return str(kind)

    def _video(self, call: Call, pin: Pin, source: Mapping[str, Any]) -> None:
        if call.trial:
            raise Trouble(403, 403, "Creating video Pins is not supported in Sandbox.")
        upload = self.net.state.uploads.get(str(source.get("media_id", "")))
        if upload is None or upload.user != call.user:
            raise Trouble(404, 50, "Media not found.")
        if self._status(upload) != "succeeded":
            raise invalid("the media is not ready")
        if source.get("cover_image_data"):
            pin.cover = self._picture(
                {"content_type": source.get("cover_image_content_type"), "data": source["cover_image_data"]}
            )
        elif source.get("cover_image_url"):
            pin.cover = str(source["cover_image_url"])
        elif isinstance(seconds := source.get("cover_image_key_frame_time"), int):
            pin.cover = f"frame at {seconds} s"
        else:
            raise invalid("a cover image is required for video Pins")
        pin.video = upload.id

    def pins(self, call: Call) -> Json:
        rows = [
            pin
            for pin in reversed(self.net.state.pins.values())
            if (pin.user, pin.trial) == (call.user, call.trial) and self._listed(pin)
        ]
        metrics = call.query.get("pin_metrics") == "true"
        return page_of(rows, call.query, lambda pin: self.net.shows.pin(pin, metrics=metrics))

    def pins_of_board(self, call: Call) -> Json:
        board = self._board(call, call.part("board_id"))
        rows = [pin for pin in reversed(self.net.state.pins.values()) if pin.board == board.id and self._listed(pin)]
        return page_of(rows, call.query, self.net.shows.pin)

    def _listed(self, pin: Pin) -> bool:
        """Whether listings show it already (``faults.listing_lag``)."""
        return self.net.now() - pin.made_at >= timedelta(seconds=self.net.faults.listing_lag)

    def _pin(self, call: Call) -> Pin:
        pin = self.net.state.pins.get(call.part("pin_id"))
        if pin is None or (pin.user, pin.trial) != (call.user, call.trial):
            raise trouble_of(404)
        return pin

    def show(self, call: Call) -> Json:
        return self.net.shows.pin(self._pin(call), metrics=call.query.get("pin_metrics") == "true")

    def change(self, call: Call) -> Json:
        pin = self._pin(call)
        if "media_source" in call.body:
            raise invalid("Additional properties are not allowed ('media_source' was unexpected)")
        self._words(call, pin)
        self.net.note(self.net.state.users[call.user], pin.id, pin.description, "edit")
        return self.net.shows.pin(pin)

    def delete(self, call: Call) -> tuple[int, None]:
        pin = self._pin(call)
        del self.net.state.pins[pin.id]
        self.net.note(self.net.state.users[call.user], pin.id, "", "delete")
        return 204, None

    # Videos

    def register(self, call: Call) -> tuple[int, Json]:
        if call.body.get("media_type") != "video":
            raise invalid("'media_type' must be 'video'")
        net = self.net
        upload_id = net.new_id()
        upload = Upload(upload_id, call.user, f"uploads/{upload_id}:video", net.now())
        net.state.uploads[upload.id] = upload
        return 201, net.shows.registered(upload)

    async def store(self, request: web.Request) -> web.Response:
        """The storage, which is not Pinterest's API: the fields it asked for, then the file; XML when it says no."""
        fields, content = {}, b""
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            if part.name == "file":
                content = bytes(await part.read(decode=False))
                break  # what comes after the file is ignored
            fields[str(part.name)] = await part.text()
        upload = next((one for one in self.net.state.uploads.values() if one.key == fields.get("key")), None)
        wanted = self.net.shows.registered(upload)["upload_parameters"] if upload is not None else {}
        if upload is None or fields != wanted or "Authorization" in request.headers:
            return _xml(403, "AccessDenied", "Invalid according to Policy")
        if not content:
            return _xml(400, "InvalidArgument", "POST requires exactly one file upload per request.")
        looks = looked_at(content)
        upload.status, upload.size = ("processing", looks[1]) if looks is not None else ("failed", (0, 0))
        upload.ready_at = self.net.now() + timedelta(seconds=self.net.processing_seconds)
        return web.Response(status=204)

    def upload(self, call: Call) -> Json:
        upload = self.net.state.uploads.get(call.part("media_id"))
        if upload is None or upload.user != call.user:
            raise Trouble(404, 50, "Media not found.")
        self._status(upload)
        return self.net.shows.upload(upload)

    def _status(self, upload: Upload) -> str:
        if upload.status == "processing" and upload.ready_at is not None and upload.ready_at <= self.net.now():
            upload.status = "succeeded"
        return upload.status

    # Numbers

    def pin_analytics(self, call: Call) -> Json:
        pin = self._pin(call)
        kinds = self._kinds(call, OF_VIDEO if pin.video else OF_PICTURE)
        self._days(call)
        numbers = {
            "IMPRESSION": pin.shown,
            "PIN_CLICK": pin.clicks,
            "OUTBOUND_CLICK": pin.link_clicks,
            "SAVE": pin.saves,
            "VIDEO_MRC_VIEW": pin.shown // 2,
        }
        lifetime = {"TOTAL_COMMENTS": len(pin.comments), "TOTAL_REACTIONS": len(pin.reactions)}
        return {
            "all": {
                "summary_metrics": {kind: numbers.get(kind, 0) for kind in kinds if kind not in lifetime},
                "lifetime_metrics": {kind: lifetime[kind] for kind in kinds if kind in lifetime},
                "daily_metrics": [],
            }
        }

    def account_analytics(self, call: Call) -> Json:
        kinds = self._kinds(call, OF_ACCOUNT)
        first, last = self._days(call)
        today = self.net.now().date()
        days = [first + timedelta(days=nth) for nth in range((last - first).days + 1)]
        rows: list[Json] = [
            {
                "date": day.isoformat(),
                "data_status": "READY" if day < today else "PROCESSING",
                "metrics": {kind: self._on(call.user, day, kind) for kind in kinds},
            }
            for day in days
        ]
        summary = {kind: sum(row["metrics"][kind] for row in rows) for kind in kinds}
        return {"all": {"daily_metrics": rows, "summary_metrics": summary}}

    def _on(self, user: str, day: date, kind: str) -> int:
        """Each Pin's numbers fall on the day it was made."""
        pins = [pin for pin in self.net.state.pins.values() if pin.user == user and pin.made_at.date() == day]
        engaged = sum(pin.clicks + pin.saves + len(pin.reactions) + len(pin.comments) for pin in pins)
        return {
            "IMPRESSION": sum(pin.shown for pin in pins),
            "ENGAGEMENT": engaged,
            "SAVE": sum(pin.saves for pin in pins),
            "PIN_CLICK": sum(pin.clicks for pin in pins),
            "OUTBOUND_CLICK": sum(pin.link_clicks for pin in pins),
        }.get(kind, 0)

    def _kinds(self, call: Call, known: frozenset[str] | set[str]) -> list[str]:
        if call.trial:
            raise Trouble(403, 403, "This endpoint is not supported in Sandbox.")
        kinds = [one for one in call.query.get("metric_types", "").split(",") if one]
        if not kinds or not set(kinds) <= known:
            raise invalid(f"metric_types must be among {sorted(known)}")
        return kinds

    def _days(self, call: Call) -> tuple[date, date]:
        try:
            first, last = (date.fromisoformat(call.query.get(name, "")) for name in ("start_date", "end_date"))
        except ValueError:
            raise invalid("start_date and end_date are needed as YYYY-MM-DD") from None
        today = self.net.now().date()
        if first > last or (today - first).days > 90 or (last - first).days > 90:
            raise invalid("start_date cannot be more than 90 days back from today")
        return first, last


def _xml(status: int, code: str, message: str) -> web.Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return web.Response(status=status, text=body, content_type="application/xml")
