"""Boards, Pins, uploads and people as the API shows them. Source: the description of API v5."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from regie_sandbox.pinterest.state import Board, Pin, State, Upload, User
from regie_sandbox.pinterest.wire import Json

SIZES = ("150x150", "400x300", "600x", "1200x")


def moment(at: datetime) -> str:
    """UTC, without saying so."""
    return at.strftime("%Y-%m-%dT%H:%M:%S")


class Shows:
    def __init__(self, state: State, base: str) -> None:
        self.state, self.base = state, base

    def user(self, user: User) -> Json:
        owned = [board for board in self.state.boards.values() if board.owner == user.id and not board.trial]
        return {
            "id": user.id,
            "username": user.username,
            "account_type": "BUSINESS",
            "business_name": user.name,
            "about": "",
            "profile_image": f"{self.base}/images/{user.id}/280x280_RS.jpg",
            "website_url": "",
            "board_count": len(owned),
            "pin_count": len([pin for pin in self.state.pins.values() if pin.user == user.id and not pin.trial]),
            "follower_count": len(user.followers),
            "following_count": len(user.following),
            "monthly_views": sum(pin.shown for pin in self.state.pins.values() if pin.user == user.id),
        }

    def board(self, board: Board) -> Json:
        pins = [pin for pin in self.state.pins.values() if pin.board == board.id]
        return {
            "id": board.id,
            "name": board.name,
            "description": board.description,
            "owner": {"username": self.state.users[board.owner].username},
            "privacy": board.privacy,
            "is_ads_only": board.ads_only,
            "created_at": moment(board.made_at),
            "board_pins_modified_at": moment(max((pin.made_at for pin in pins), default=board.made_at)),
            "collaborator_count": 0,
            "follower_count": len(self.state.users[board.owner].followers),
            "pin_count": len(pins),
            "media": {"image_cover_url": None, "pin_thumbnail_urls": []},
        }

    def pin(self, pin: Pin, *, metrics: bool = False) -> Json:
        shown = {
            "id": pin.id,
            "created_at": moment(pin.made_at),
            "title": pin.title or None,
            "description": pin.description or None,
            "alt_text": pin.alt or None,
            "link": pin.link or None,
            "board_id": pin.board,
            "board_section_id": pin.section or None,
            "board_owner": {"username": self.state.users[self.state.boards[pin.board].owner].username},
            "parent_pin_id": None,
            "dominant_color": "#6e7874",
            "creative_type": "VIDEO" if pin.video else "CAROUSEL" if len(pin.files) > 1 else "REGULAR",
            "has_been_promoted": False,
            "is_owner": True,
            "is_standard": True,
            "media": self._media(pin),
            "pin_metrics": None,
        }
        return {**shown, "pin_metrics": self._metrics(pin)} if metrics else shown

    def _media(self, pin: Pin) -> Json:
        if pin.video:
            width, height = self.state.uploads[pin.video].size
            return {
                "media_type": "video",
                "images": self._images(pin, 0),
                "cover_image_url": f"{self.base}/images/{pin.id}/cover.jpg",
                "video_url": None,
                "duration": None,
                "width": width or None,
                "height": height or None,
            }
        if len(pin.files) == 1:
            return {"media_type": "image", "images": self._images(pin, 0)}
        items: list[Any] = [
            {"item_type": "image", "title": None, "description": None, "link": None, "images": self._images(pin, nth)}
            for nth in range(len(pin.files))
        ]
        return {"media_type": "multiple_images", "items": items}

    def _images(self, pin: Pin, nth: int) -> Json:
        return {
            size: {"width": int(size.split("x")[0]), "height": None, "url": f"{self.base}/images/{pin.id}/{nth}/{size}"}
            for size in SIZES
        }

    def _metrics(self, pin: Pin) -> Json:
        numbers = {"pin_click": pin.clicks, "impression": pin.shown, "clickthrough": pin.link_clicks}
        lifetime = {**numbers, "reaction": len(pin.reactions), "comment": len(pin.comments)}
        return {"90d": numbers, "lifetime_metrics": lifetime}

    def registered(self, upload: Upload) -> Json:
        parameters = {
            "Content-Type": "multipart/form-data",
            "key": upload.key,
            "policy": "eyJleHBpcmF0aW9uIjoiMjAzMCJ9",
            "x-amz-algorithm": "AWS4-HMAC-SHA256",
            "x-amz-credential": "SANDBOX/us-east-1/s3/aws4_request",
            "x-amz-date": upload.made_at.strftime("%Y%m%dT%H%M%SZ"),
            "x-amz-security-token": f"token-{upload.id}",
            "x-amz-signature": f"signature-{upload.id}",
        }
        return {
            "media_id": upload.id,
            "media_type": "video",
            "upload_url": f"{self.base}/storage/",
            "upload_parameters": parameters,
        }

    def upload(self, upload: Upload) -> Json:
        return {"media_id": upload.id, "media_type": "video", "status": upload.status}
