"""What can be asked and done. Limits and refusals as far as they are known: NOTES.md of the connector."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
from PIL import Image, UnidentifiedImageError

from regie_sandbox.google.wire import Json
from regie_sandbox.google_business.state import Manager, Place, Post, Review
from regie_sandbox.google_business.wire import Call, Trouble, invalid, not_there, trouble_of

if TYPE_CHECKING:
    from regie_sandbox.google_business.app import GoogleBusiness

SUMMARY, TITLE, COUPON, TERMS, REPLY = 1500, 58, 58, 5000, 4096
LARGEST_PICTURE = 5 * 1024 * 1024
TOPICS = ("STANDARD", "EVENT", "OFFER")
BUTTONS = ("BOOK", "ORDER", "SHOP", "LEARN_MORE", "SIGN_UP", "CALL")
SAID = ("languageCode", "summary", "callToAction", "event", "offer", "media", "topicType")
CHANGED = ("languageCode", "summary", "callToAction", "event", "offer", "media", "topicType")
OF_PLACE = (
    "name", "title", "languageCode", "storeCode", "storefrontAddress", "metadata", "phoneNumbers", "categories",
    "websiteUri", "regularHours", "openInfo", "profile", "latlng", "labels",
)  # fmt: skip
METRICS = (
    "BUSINESS_IMPRESSIONS_DESKTOP_MAPS", "BUSINESS_IMPRESSIONS_DESKTOP_SEARCH", "BUSINESS_IMPRESSIONS_MOBILE_MAPS",
    "BUSINESS_IMPRESSIONS_MOBILE_SEARCH", "BUSINESS_CONVERSATIONS", "BUSINESS_DIRECTION_REQUESTS", "CALL_CLICKS",
    "WEBSITE_CLICKS", "MESSAGING_CLICKS", "BUSINESS_BOOKINGS", "BUSINESS_FOOD_ORDERS", "BUSINESS_FOOD_MENU_CLICKS",
)  # fmt: skip
TELEPHONE = re.compile(r"(?:\+|\b0)\d(?:[ .-]?\d){7,}")
FETCHING = aiohttp.ClientTimeout(total=10)


class Does:
    def __init__(self, net: GoogleBusiness) -> None:
        self.net, self.state, self.shown = net, net.state, net.shown

    # Who manages what

    def managers(self, call: Call) -> Json:
        held = [self.state.managers[one] for one in self.state.people[call.token.holder].managers]
        some, more = call.page(held, most=20, default=20)
        return {**({"accounts": [self.shown.manager(one) for one in some]} if some else {}), **more}

    def places(self, call: Call) -> Json:
        fields = call.mask("readMask", OF_PLACE, required=True)
        held = [self.state.places[one] for one in self._manager(call).places]
        some, more = call.page(held, most=100, default=10)
        return {**({"locations": [self.shown.place(one, fields) for one in some]} if some else {}), **more}

    def one_place(self, call: Call) -> Json:
        return self.shown.place(self._known(call), call.mask("readMask", OF_PLACE, required=True))

    def _manager(self, call: Call) -> Manager:
        manager = self.state.managers.get(call.part("account"))
        if manager is None:
            raise not_there()
        if manager.id not in self.state.people[call.token.holder].managers:
            raise trouble_of(403)
        return manager

    def _known(self, call: Call) -> Place:
        place = self.state.places.get(call.part("place"))
        if place is None:
            raise not_there()
        managers = (self.state.managers[one] for one in self.state.people[call.token.holder].managers)
        if not any(place.id in one.places for one in managers):
            raise trouble_of(403)
        return place

    def _place(self, call: Call) -> Place:
        """As version 4 names it: through the account."""
        manager, place = self._manager(call), self.state.places.get(call.part("place"))
        if place is None or place.id not in manager.places:
            raise not_there()
        return place

    # Posts

    def posts(self, call: Call) -> Json:
        place = self._place(call)
        lag = timedelta(seconds=self.net.faults.listing_lag)
        held = [self.state.posts[one] for one in reversed(place.posts)]
        listed = [one for one in held if self.net.now() - one.made_at >= lag]
        some, more = call.page(listed, most=100, default=20)
        return {**({"localPosts": [self.shown.post(one) for one in some]} if some else {}), **more}

    def one_post(self, call: Call) -> Json:
        return self.shown.post(self._post(call))

    def _post(self, call: Call) -> Post:
        place, post = self._place(call), self.state.posts.get(call.part("post"))
        if post is None or post.place != place.id:
            raise not_there()
        return post

    async def make_post(self, call: Call) -> Json:
        place = self._place(call)
        said = {name: value for name, value in call.body.items() if name in SAID}
        _must_make_sense(said)
        for picture in said.get("media", ()):
            await self._fetch(picture)
        now = self.net.now()
        post = Post(self.net.new_number(), place.id, said, now, now, self.net.later(self.net.processing_seconds))
        self._keep(post, said)
        self.state.posts[post.id] = post
        place.posts.append(post.id)
        self.net.note(place, self.net.name_of(post), str(said.get("summary", "")), "post", len(said.get("media", ())))
        return self.shown.post(post)

    def _keep(self, post: Post, said: Json) -> None:
        text = str(said.get("summary", ""))
        post.said = {**said, **({"summary": self.net.faults.rewritten(text)} if text else {})}
        post.rejected = bool(TELEPHONE.search(text))

    async def _fetch(self, picture: Any) -> None:
        """Google takes the picture from its public address before it answers."""
        if not self.net.fetches:
            return
        async with aiohttp.ClientSession(timeout=FETCHING) as http:
            try:
                async with http.get(str(picture["sourceUrl"])) as reply:
                    raw = await reply.read()
                    fetched = reply.status == 200
            except (aiohttp.ClientError, TimeoutError):
                fetched = False
        if not fetched:
            raise invalid("media.source_url", "Media could not be fetched from the source URL.")
        try:
            image = Image.open(io.BytesIO(raw))
        except (UnidentifiedImageError, OSError):
            raise invalid("media.source_url", "Media format not supported.") from None
        if image.format not in ("JPEG", "PNG") or len(raw) > LARGEST_PICTURE:
            raise invalid("media.source_url", "Media format not supported, or too large.")

    def change_post(self, call: Call) -> Json:
        """What the mask names: with the body's word for it, or without one."""
        post = self._post(call)
        fields = call.mask("updateMask", CHANGED, required=True)
        kept = {name: value for name, value in post.said.items() if name not in fields}
        said = {**kept, **{name: call.body[name] for name in fields if name in call.body}}
        _must_make_sense(said)
        if said == post.said:
            return self.shown.post(post)
        self._keep(post, said)
        post.changed_at, post.ready_at = self.net.now(), self.net.later(self.net.processing_seconds)
        place = self.state.places[post.place]
        self.net.note(place, self.net.name_of(post), str(said.get("summary", "")), "edit")
        return self.shown.post(post)

    def delete_post(self, call: Call) -> Json:
        post = self._post(call)
        place = self.state.places[post.place]
        self.net.note(place, self.net.name_of(post), "", "delete")
        place.posts.remove(post.id)
        del self.state.posts[post.id]
        return {}

    # Reviews

    def reviews(self, call: Call) -> Json:
        place = self._verified(call)
        held = [self.state.reviews[one] for one in place.reviews]
        held.sort(key=lambda one: one.changed_at, reverse=True)
        if (order := call.query.get("orderBy", "update_time desc")) not in (
            "update_time desc",
            "rating",
            "rating desc",
        ):
            raise trouble_of(400)
        if order.startswith("rating"):
            held.sort(key=lambda one: one.stars, reverse=order.endswith("desc"))
        some, more = call.page(held, most=50, default=50)
        if not held:
            return {}
        average = sum(one.stars for one in held) / len(held)
        listed = [self.shown.review(one) for one in some]
        return {"reviews": listed, "averageRating": average, "totalReviewCount": len(held), **more}

    def one_review(self, call: Call) -> Json:
        return self.shown.review(self._review(call))

    def _verified(self, call: Call) -> Place:
        place = self._place(call)
        if not place.verified:
            raise Trouble(400, "The location is not verified.")
        return place

    def _review(self, call: Call) -> Review:
        place, review = self._verified(call), self.state.reviews.get(call.part("review"))
        if review is None or review.place != place.id:
            raise not_there()
        return review

    def reply(self, call: Call) -> Json:
        """One answer to a review: another takes its place."""
        review, text = self._review(call), call.body.get("comment")
        if not isinstance(text, str) or not text.strip():
            raise invalid("comment", "Reply comment is required.")
        if len(text.encode()) > REPLY:
            raise invalid("comment", "Reply comment is too long.")
        if text != review.reply or review.replied_at is None:
            review.reply, review.replied_at = self.net.faults.rewritten(text), self.net.now()
            place = self.state.places[review.place]
            self.net.note(place, f"{self.net.name_of(review)}/reply", text, "reply")
        return self.shown.reply(review)

    def delete_reply(self, call: Call) -> Json:
        review = self._review(call)
        if review.replied_at is None:
            raise not_there()
        review.reply, review.replied_at = "", None
        place = self.state.places[review.place]
        self.net.note(place, f"{self.net.name_of(review)}/reply", "", "delete")
        return {}

    # Numbers

    def performance(self, call: Call) -> Json:
        """Days up to the one before yesterday: Google counts late. A zero has no value."""
        place = self._known(call)
        wanted = call.request.query.getall("dailyMetrics", [])
        if not wanted or any(one not in METRICS for one in wanted):
            raise trouble_of(400)
        begin, end = _day(call.query, "startDate"), _day(call.query, "endDate")
        counted = self.net.now().date() - timedelta(days=self.net.days_late)
        days = [begin + timedelta(days=nth) for nth in range(max(0, (min(end, counted) - begin).days + 1))]
        series = []
        for metric in wanted:
            values = [self._dated(place, day, metric) for day in days]
            series.append({"dailyMetric": metric, "timeSeries": {"datedValues": values} if values else {}})
        return {"multiDailyMetricTimeSeries": [{"dailyMetricTimeSeries": series}]}

    def _dated(self, place: Place, day: date, metric: str) -> Json:
        number = place.seen.get(day.isoformat(), {}).get(metric, 0)
        told = {"date": {"year": day.year, "month": day.month, "day": day.day}}
        return {**told, **({"value": str(number)} if number else {})}


def _day(query: Mapping[str, str], which: str) -> date:
    try:
        return date(*(int(query[f"dailyRange.{which}.{part}"]) for part in ("year", "month", "day")))
    except (KeyError, ValueError):
        raise trouble_of(400) from None


def _must_make_sense(said: Mapping[str, Any]) -> None:
    """A post as a whole, new or changed."""
    topic = said.get("topicType", "STANDARD")
    if topic not in TOPICS:
        raise invalid("topic_type", "Topic type is not supported.")
    if len(str(said.get("summary", ""))) > SUMMARY:
        raise invalid("summary", f"Summary must be at most {SUMMARY} characters.")
    media = said.get("media", [])
    if len(media) > 1:
        raise invalid("media", "Only one media item is supported.")
    if any(one.get("mediaFormat") != "PHOTO" or not one.get("sourceUrl") for one in media):
        raise invalid("media", "Only photos with a source URL are supported.")
    if topic == "STANDARD" and not said.get("summary") and not media:
        raise invalid("summary", "A post needs a summary or a photo.")
    if topic != "STANDARD":
        _must_be_an_event(dict(said.get("event") or {}))
    _must_lead_somewhere(dict(said.get("callToAction") or {}))
    offer = dict(said.get("offer") or {})
    if offer and topic != "OFFER":
        raise invalid("offer", "Offer is only supported for offer posts.")
    if len(offer.get("couponCode", "")) > COUPON or len(offer.get("termsConditions", "")) > TERMS:
        raise invalid("offer", "Offer is too long.")


def _must_be_an_event(event: Mapping[str, Any]) -> None:
    title, schedule = str(event.get("title") or ""), dict(event.get("schedule") or {})
    if not title or len(title) > TITLE:
        raise invalid("event.title", f"An event title of at most {TITLE} characters is required.")
    if any(name not in schedule for name in ("startDate", "startTime", "endDate", "endTime")):
        raise invalid("event.schedule", "The interval must contain all fields to be valid.")
    begin, end = (
        tuple(int(schedule[f"{which}{what}"].get(part, 0)) for what, part in _PARTS) for which in ("start", "end")
    )
    if end <= begin:
        raise invalid("event.schedule", "End must be after start.")


_PARTS = (("Date", "year"), ("Date", "month"), ("Date", "day"), ("Time", "hours"), ("Time", "minutes"))


def _must_lead_somewhere(button: Mapping[str, Any]) -> None:
    if not button:
        return
    kind, url = button.get("actionType"), str(button.get("url") or "")
    if kind not in BUTTONS:
        raise invalid("call_to_action.action_type", "Action type is not supported.")
    if kind == "CALL" and url:
        raise invalid("call_to_action.url", "URL must not be set for CALL.")
    if kind != "CALL" and not url.startswith(("https://", "http://")):
        raise invalid("call_to_action.url", "A valid URL is required.")
