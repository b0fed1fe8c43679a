"""What a record must look like: the rules of the lexicons that the sandbox takes, with the vendor's sentences.

Sources: lexicons app.bsky.feed.post, .like, .repost, app.bsky.graph.follow, app.bsky.actor.profile, richtext.facet,
embed.*; the wording as PDS 0.4.217 answers it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import regex

from regie_sandbox.bluesky.problem import Problem, invalid
from regie_sandbox.bluesky.state import Blob

POST, LIKE, REPOST = "app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.feed.repost"
GATE, QUOTE_GATE = "app.bsky.feed.threadgate", "app.bsky.feed.postgate"
FOLLOW, PROFILE = "app.bsky.graph.follow", "app.bsky.actor.profile"
TID = re.compile(r"^[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}$")
KEY = re.compile(r"^[a-zA-Z0-9_~.:-]{1,512}$")
DATETIME = re.compile(r"^\d{4}-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d:[0-6]\d(\.\d{1,20})?(Z|[+-][0-2]\d:[0-5]\d)$")
AT_URI = re.compile(r"^at://[a-zA-Z0-9._:%-]+(/[a-zA-Z0-9.-]+(/[a-zA-Z0-9_~.:-]+)?)?$")
NSID = re.compile(r"^[a-zA-Z]([a-zA-Z0-9-]*)(\.[a-zA-Z0-9-]+)+\.[a-zA-Z][a-zA-Z0-9]*$")
DID = re.compile(r"^did:[a-z]+:[a-zA-Z0-9._:%-]*[a-zA-Z0-9._-]$")
LANGUAGE = re.compile(r"^(i|[a-z]{2,3})(-[a-zA-Z0-9]+)*$")
URI = re.compile(r"^\w+:(?://)?[^\s/][^\s]*$")
LARGEST_IMAGE = 1_000_000
LARGEST_VIDEO, LARGEST_CAPTIONS = 300_000_000, 20_000
LABELS = "com.atproto.label.defs#selfLabels"
ANSWERS = tuple(f"{GATE}#{rule}Rule" for rule in ("mention", "follower", "following", "list"))


def graphemes(text: str) -> int:
    return len(text) if text.isascii() and "\r" not in text else len(regex.findall(r"\X", text))


def check_key(collection: str, rkey: str) -> None:
    if collection == PROFILE:
        if rkey != "self":
            raise invalid(f'Invalid record key for {collection}: Invalid literal value (got "{rkey}") at $')
    elif collection.startswith("app.bsky."):
        if not TID.match(rkey):
            raise invalid(f'Invalid record key for {collection}: Invalid TID string (got "{rkey}") at $')
    elif not KEY.match(rkey) or rkey in (".", ".."):
        raise invalid("Invalid record key")


class Check:
    """One record under its rules. ``blobs``: what was uploaded, by CID."""

    def __init__(self, collection: str, blobs: dict[str, Blob]) -> None:
        self.collection, self.blobs = collection, blobs

    def record(self, value: Any) -> None:
        """Raises the Problem that the vendor would answer."""
        if not isinstance(value, dict):
            raise invalid(f"Invalid {self.collection} record: Expected object value type at $.record")
        kind = value.get("$type")
        if kind != self.collection:
            raise invalid(f"Invalid $type: expected {self.collection}, got {kind}")
        match self.collection:
            case "app.bsky.feed.post":
                self._post(value)
            case "app.bsky.feed.like" | "app.bsky.feed.repost":
                self._strong_ref(self._needed(value, "subject", dict), "subject")
                self._datetime(self._needed(value, "createdAt", str), "createdAt")
            case "app.bsky.feed.threadgate":
                self._gate(value)
            case "app.bsky.feed.postgate":
                self._quote_gate(value)
            case "app.bsky.graph.follow":
                if not DID.match(self._needed(value, "subject", str)):
                    raise self._wrong("Invalid DID", value["subject"], "subject")
                self._datetime(self._needed(value, "createdAt", str), "createdAt")
            case "app.bsky.actor.profile":
                self._text(value.get("displayName", ""), "displayName", most=64, most_bytes=640)
                self._text(value.get("description", ""), "description", most=256, most_bytes=2560)

    def _gate(self, value: dict[str, Any]) -> None:
        self._datetime(self._needed(value, "createdAt", str), "createdAt")
        self._rules(value, "allow", ANSWERS)
        for uri in (self._needed(value, "post", str), *self._list(value, "hiddenReplies", most=300)):
            if not isinstance(uri, str) or not AT_URI.match(uri):
                raise self._wrong("Invalid AT-URI", uri, "hiddenReplies")

    def _quote_gate(self, value: dict[str, Any]) -> None:
        self._datetime(self._needed(value, "createdAt", str), "createdAt")
        self._rules(value, "embeddingRules", (f"{QUOTE_GATE}#disableRule",))
        for uri in (self._needed(value, "post", str), *self._list(value, "detachedEmbeddingUris", most=50)):
            if not isinstance(uri, str) or not AT_URI.match(uri):
                raise self._wrong("Invalid AT-URI", uri, "post")

    def _rules(self, value: dict[str, Any], name: str, known: tuple[str, ...]) -> None:
        for rule in self._list(value, name, most=5):
            if not isinstance(rule, dict) or rule.get("$type") not in known:
                raise self._wrong("Invalid rule", rule, name)

    def _post(self, value: dict[str, Any]) -> None:
        self._text(self._needed(value, "text", str), "text", most=300, most_bytes=3000)
        self._datetime(self._needed(value, "createdAt", str), "createdAt")
        langs = self._list(value, "langs", most=3)
        for lang in langs:
            if not isinstance(lang, str) or not LANGUAGE.match(lang):
                raise self._wrong("Invalid language", lang, "langs")
        for tag in self._list(value, "tags", most=8):
            self._text(tag, "tags", most=64, most_bytes=640)
        for nth, facet in enumerate(self._list(value, "facets")):
            self._facet(facet, f"facets[{nth}]")
        if (reply := value.get("reply")) is not None:
            self._reply(reply)
        if (labels := value.get("labels")) is not None:
            self._labels(labels)
        if (embed := value.get("embed")) is not None:
            self._embed(embed, "embed")

    def _labels(self, labels: Any) -> None:
        if not isinstance(labels, dict) or labels.get("$type") != LABELS:
            raise self._wrong("Expected object value type", labels, "labels")
        for label in self._list(labels, "values", most=10, where="labels.", needed=True):
            self._text(self._needed(label, "val", str, "labels.values."), "labels.values", most=128, most_bytes=128)

    def _reply(self, reply: Any) -> None:
        if not isinstance(reply, dict):
            raise self._wrong("Expected object value type", reply, "reply")
        for end in ("root", "parent"):
            self._strong_ref(self._needed(reply, end, dict, "reply."), f"reply.{end}")

    def _facet(self, facet: Any, where: str) -> None:
        if not isinstance(facet, dict):
            raise self._wrong("Expected object value type", facet, where)
        index = self._needed(facet, "index", dict, f"{where}.")
        for end in ("byteStart", "byteEnd"):
            if self._needed(index, end, int, f"{where}.index.") < 0:
                raise self._wrong("integer too small (minimum 0)", index[end], f"{where}.index.{end}")
        for feature in self._needed(facet, "features", list, f"{where}."):
            self._feature(feature, f"{where}.features")

    def _feature(self, feature: Any, where: str) -> None:
        match feature:
            case {"$type": "app.bsky.richtext.facet#link", "uri": str(uri)} if URI.match(uri):
                return None
            case {"$type": "app.bsky.richtext.facet#mention", "did": str(did)} if DID.match(did):
                return None
            case {"$type": "app.bsky.richtext.facet#tag", "tag": str(tag)}:
                return self._text(tag, f"{where}.tag", most=64, most_bytes=640)
        raise self._wrong("Invalid facet feature", "object", where)

    def _embed(self, embed: Any, where: str) -> None:
        kind = embed.get("$type", "") if isinstance(embed, dict) else ""
        match kind.removeprefix("app.bsky.embed."):
            case "images":
                images = self._list(embed, "images", most=4, where=f"{where}.", needed=True)
                for nth, image in enumerate(images):
                    self._image(image, f"{where}.images[{nth}]")
            case "external":
                external = self._needed(embed, "external", dict, f"{where}.")
                for name in ("uri", "title", "description"):
                    self._needed(external, name, str, f"{where}.external.")
                if not URI.match(external["uri"]):
                    raise self._wrong("Invalid URI", external["uri"], f"{where}.external.uri")
                if "thumb" in external:
                    self._file(external["thumb"], f"{where}.external.thumb", "image/", LARGEST_IMAGE)
            case "gallery":
                items = self._list(embed, "items", most=20, where=f"{where}.", needed=True)
                for nth, item in enumerate(items):
                    self._needed(item, "aspectRatio", dict, f"{where}.items[{nth}].")
                    self._image(item, f"{where}.items[{nth}]")
            case "record":
                self._strong_ref(self._needed(embed, "record", dict, f"{where}."), f"{where}.record")
            case "recordWithMedia":
                self._embed(self._needed(embed, "record", dict, f"{where}."), f"{where}.record")
                self._embed(self._needed(embed, "media", dict, f"{where}."), f"{where}.media")
            case "video":
                self._video(embed, where)
            case _:
                raise self._wrong("Invalid embed", kind, where)

    def _video(self, embed: dict[str, Any], where: str) -> None:
        if "video" not in embed:
            raise invalid(f'Invalid {self.collection} record: Missing required key "video" at {self._at(where)}')
        self._file(embed["video"], f"{where}.video", "video/mp4", LARGEST_VIDEO)
        self._text(embed.get("alt", ""), f"{where}.alt", most=10**6, most_bytes=10**6)
        for nth, caption in enumerate(self._list(embed, "captions", most=20, where=f"{where}.")):
            at = f"{where}.captions[{nth}]"
            if not LANGUAGE.match(self._needed(caption, "lang", str, f"{at}.")):
                raise self._wrong("Invalid language", caption["lang"], at)
            self._file(caption.get("file"), f"{at}.file", "text/vtt", LARGEST_CAPTIONS)

    def _file(self, given: Any, where: str, wanted: str, largest: int) -> None:
        match given:
            case {"$type": "blob", "ref": {"$link": str(cid)}, "mimeType": str(mime), "size": int(size)}:
                if size > largest:
                    raise self._too_big("blob", largest, size, where)
                self._blob(cid, mime, size, wanted)
            case _:
                raise self._wrong("Expected blob value type", "object", where)

    def _image(self, image: Any, where: str) -> None:
        if not isinstance(image, dict):
            raise self._wrong("Expected object value type", image, where)
        self._needed(image, "alt", str, f"{where}.")
        if (ratio := image.get("aspectRatio")) is not None:
            for side in ("width", "height"):
                if self._needed(ratio, side, int, f"{where}.aspectRatio.") < 1:
                    raise self._wrong("integer too small (minimum 1)", ratio[side], f"{where}.aspectRatio.{side}")
        match image.get("image"):
            case {"$type": "blob", "ref": {"$link": str(cid)}, "mimeType": str(mime), "size": int(size)}:
                if size > LARGEST_IMAGE:
                    raise self._too_big("blob", LARGEST_IMAGE, size, f"{where}.image")
                self._blob(cid, mime, size, "image/")
            case _:
                raise self._wrong("Expected blob value type", "object", f"{where}.image")

    def _blob(self, cid: str, mime: str, size: int, wanted: str) -> None:
        blob = self.blobs.get(cid)
        if blob is None:
            raise invalid(f"Could not find blob: {cid}", "BlobNotFound")
        if blob.mime != mime:
            raise invalid(f"Referenced Mimetype does not match stored blob. Expected: {blob.mime}, Got: {mime}")
        if blob.size != size:
            raise invalid(
                f"Referenced Size does not match stored blob. Expected: {blob.size}, Got: {size}", "InvalidSize"
            )
        if not mime.startswith(wanted):
            must = f"{wanted}*" if wanted.endswith("/") else wanted
            raise invalid(f"Wrong type of file. It is {mime} but it must match {must}.", "InvalidMimeType")

    # The small rules

    def _needed(self, value: Any, name: str, kind: type[Any], where: str = "") -> Any:
        if not isinstance(value, dict) or name not in value:
            raise invalid(f'Invalid {self.collection} record: Missing required key "{name}" at {self._at(where)}')
        found = value[name]
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            raise self._wrong(f"Expected {kind.__name__} value type", type(found).__name__, where + name)
        return found

    def _list(
        self, value: dict[str, Any], name: str, *, most: int | None = None, where: str = "", needed: bool = False
    ) -> list[Any]:
        if name not in value and not needed:
            return []
        found: list[Any] = self._needed(value, name, list, where)
        if most is not None and len(found) > most:
            raise invalid(
                f"Invalid {self.collection} record: array too big (maximum {most}, got {len(found)}) "
                f"at {self._at(where + name)}"
            )
        return found

    def _text(self, text: Any, where: str, *, most: int, most_bytes: int) -> None:
        if not isinstance(text, str):
            raise self._wrong("Expected string value type", type(text).__name__, where)
        size = len(text.encode())
        if size > most_bytes:
            raise self._too_big("string", most_bytes, size, where)
        if len(text) > most and (count := graphemes(text)) > most:
            raise self._too_big("grapheme", most, count, where)

    def _too_big(self, what: str, most: int, got: int, where: str) -> Problem:
        return invalid(
            f"Invalid {self.collection} record: {what} too big (maximum {most}, got {got}) at {self._at(where)}"
        )

    def _datetime(self, text: str, where: str) -> None:
        try:
            if not DATETIME.match(text):
                raise ValueError
            datetime.fromisoformat(text)
        except ValueError:
            raise self._wrong("Invalid datetime", text, where) from None

    def _strong_ref(self, ref: dict[str, Any], where: str) -> None:
        if not AT_URI.match(self._needed(ref, "uri", str, f"{where}.")):
            raise self._wrong("Invalid AT-URI", ref["uri"], f"{where}.uri")
        if not self._needed(ref, "cid", str, f"{where}.").startswith("baf"):
            raise self._wrong("Invalid CID", ref["cid"], f"{where}.cid")

    def _wrong(self, what: str, got: Any, where: str) -> Problem:
        return invalid(f'Invalid {self.collection} record: {what} (got "{got}") at {self._at(where)}')

    def _at(self, where: str) -> str:
        return f"$.record.{where}".rstrip(".") if where else "$.record"


def blobs_in(value: Any) -> Iterator[str]:
    """The CIDs of the blobs that a record refers to."""
    if isinstance(value, dict):
        if value.get("$type") == "blob" and isinstance(value.get("ref"), dict):
            yield value["ref"].get("$link", "")
        else:
            for item in value.values():
                yield from blobs_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from blobs_in(item)
