"""Locations, posts and reviews as Google tells them: what is empty, zero or false is left out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from regie_sandbox.google.wire import Json
from regie_sandbox.google_business.state import Manager, Place, Post, Review

if TYPE_CHECKING:
    from regie_sandbox.google_business.app import GoogleBusiness

WORDS = ("ONE", "TWO", "THREE", "FOUR", "FIVE")


def moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Shown:
    def __init__(self, net: GoogleBusiness) -> None:
        self.net = net

    def manager(self, one: Manager) -> Json:
        return {
            "name": f"accounts/{one.id}",
            "accountName": one.name,
            "type": one.kind,
            "role": "PRIMARY_OWNER",
            "verificationState": "UNVERIFIED",
            "vettedState": "NOT_VETTED",
        }

    def place(self, one: Place, fields: list[str]) -> Json:
        maps = f"{self.net.base}/maps?cid={one.id}"
        whole: Json = {
            "name": f"locations/{one.id}",
            "title": one.title,
            "languageCode": one.language,
            "storefrontAddress": {
                "regionCode": "FR",
                "languageCode": "fr",
                "postalCode": "59000",
                "locality": one.town,
                "addressLines": [one.street],
            },
            "metadata": {"mapsUri": maps, **({"hasVoiceOfMerchant": True} if one.verified else {})},
        }
        return {name: value for name, value in whole.items() if name in fields}

    def post(self, one: Post) -> Json:
        place = self.net.state.places[one.place]
        name = f"accounts/{place.manager}/locations/{place.id}/localPosts/{one.id}"
        media = [
            {
                "name": f"accounts/{place.manager}/locations/{place.id}/media/localPosts/{one.id}-{nth}",
                "mediaFormat": "PHOTO",
                "googleUrl": f"{self.net.base}/media/{one.id}-{nth}",
            }
            for nth, _ in enumerate(one.said.get("media", ()))
        ]
        state = self.net.state_of(one)
        return {
            **{key: value for key, value in one.said.items() if key != "media"},
            "name": name,
            "state": state,
            "createTime": moment(one.made_at),
            "updateTime": moment(one.changed_at),
            **({"media": media} if media else {}),
            **({"searchUrl": f"{self.net.base}/posts/{one.id}"} if state == "LIVE" else {}),
        }

    def review(self, one: Review) -> Json:
        place, person = self.net.state.places[one.place], self.net.state.people[one.by]
        told: Json = {
            "name": f"accounts/{place.manager}/locations/{place.id}/reviews/{one.id}",
            "reviewId": one.id,
            "reviewer": {"displayName": person.name, "profilePhotoUrl": f"{self.net.base}/photos/{person.id}"},
            "starRating": WORDS[one.stars - 1],
            "createTime": moment(one.made_at),
            "updateTime": moment(one.changed_at),
        }
        if one.text:
            told["comment"] = one.text
        if one.replied_at is not None:
            told["reviewReply"] = self.reply(one)
        return told

    def reply(self, one: Review) -> Json:
        assert one.replied_at is not None
        return {"comment": one.reply, "updateTime": moment(one.replied_at)}
