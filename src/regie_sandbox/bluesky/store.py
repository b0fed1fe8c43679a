"""Accounts and their records, and what follows from a record: counts, notices, followers."""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_left, insort
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from regie_sandbox.bluesky.cbor import cid_of
from regie_sandbox.bluesky.lexicon import FOLLOW, LIKE, NSID, POST, REPOST, Check, check_key
from regie_sandbox.bluesky.problem import Problem, invalid
from regie_sandbox.bluesky.state import Account, Notice, Reactions, Record, State
from regie_sandbox.frame import Faults, World

ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"


def tid(moment: datetime, clock: int) -> str:
    value = (int(moment.timestamp() * 1_000_000) << 10) | (clock & 1023)
    return "".join(ALPHABET[(value >> shift) & 31] for shift in range(60, -1, -5))


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parts(uri: str) -> tuple[str, str, str]:
    did, collection, rkey = uri.removeprefix("at://").split("/")
    return did, collection, rkey


class Store:
    def __init__(self, state: State, world: World, faults: Faults) -> None:
        self.state, self.world, self.faults = state, world, faults

    def now(self) -> datetime:
        return self.world.clock.now()

    # Accounts

    def account(self, handle: str, *, name: str = "", password: str = "", email: str = "") -> Account:
        """The account of this handle, made when missing. Its DID comes from the seed and the handle."""
        if (did := self.state.handles.get(handle)) is not None:
            return self.state.accounts[did]
        digest = hashlib.sha256(f"{self.world.seed}:{handle}".encode()).digest()
        did = "did:plc:" + base64.b32encode(digest).decode().lower()[:24]
        account = Account(
            did=did,
            handle=handle,
            name=name or handle.split(".")[0],
            email=email or f"{handle.split('.')[0]}@example.org",
            password=password or f"{handle.split('.')[0]}-app-password",
            created_at=self.now(),
        )
        self.state.accounts[did], self.state.handles[handle] = account, did
        return account

    def find(self, name: str) -> Account | None:
        """By DID, handle, e-mail address, or the first part of a handle of ours."""
        state = self.state
        did = name if name in state.accounts else state.handles.get(name) or state.handles.get(f"{name}.test")
        if did is None and "@" in name:
            did = next((one.did for one in state.accounts.values() if one.email == name), None)
        return state.accounts.get(did) if did is not None else None

    # Records

    def put(
        self,
        did: str,
        collection: str,
        rkey: str | None,
        value: Any,
        *,
        must_be: str | None = "",
        create: bool = False,
    ) -> tuple[Record, str]:
        """Write a record. Returns it with what happened: created, updated or same.

        must_be: "" for anything, None for nothing there, or the CID that must be there
        create:  createRecord: over an existing record the vendor falls over with a 500
        """
        if not NSID.match(collection):
            raise invalid("Invalid collection NSID")
        if rkey is None:
            self.state.seq += 1
            rkey = tid(self.now(), self.state.seq)
        check_key(collection, rkey)
        Check(collection, self.state.blobs).record(value)
        value = self._rewritten(collection, value)
        uri, cid = f"at://{did}/{collection}/{rkey}", cid_of(value)
        there = self.state.records.get(uri)
        if there is not None and create:
            raise Problem(500, "InternalServerError", "Internal Server Error")
        if there is not None and there.cid == cid:
            return there, "same"
        if must_be != "" and must_be != (there.cid if there else None):
            raise invalid(f"Record was at {there.cid if there else 'null'}", "InvalidSwap")
        if there is not None:
            self._forget(there)
        self.state.seq += 1
        record = Record(uri, cid, value, self.now(), self.state.seq)
        self._keep(record, did, collection, rkey)
        return record, "updated" if there else "created"

    def _rewritten(self, collection: str, value: dict[str, Any]) -> dict[str, Any]:
        if collection == POST and self.faults.rewrite:
            return {**value, "text": self.faults.rewritten(value["text"])}
        return value

    def delete(self, uri: str) -> Record | None:
        record = self.state.records.get(uri)
        if record is not None:
            self._forget(record)
        return record

    def _keep(self, record: Record, did: str, collection: str, rkey: str) -> None:
        self.state.records[record.uri] = record
        insort(self.state.keys.setdefault(f"{did}/{collection}", []), rkey)
        match collection:
            case "app.bsky.feed.post":
                self._post_came(record, did)
            case "app.bsky.feed.like" | "app.bsky.feed.repost":
                subject = record.value["subject"]["uri"]
                reason = "like" if collection == LIKE else "repost"
                getattr(self.reactions(subject), f"{reason}s").setdefault(did, record.uri)
                self._notify(parts(subject)[0], did, Notice(record.uri, reason, subject))
            case "app.bsky.feed.threadgate":
                self._gate(record.value, did, rkey, hidden=True)
            case "app.bsky.graph.follow":
                whom = record.value["subject"]
                self.state.followers.setdefault(whom, {})[did] = record.uri
                self.state.following[did] = self.state.following.get(did, 0) + 1
                self._notify(whom, did, Notice(record.uri, "follow"))
            case "app.bsky.actor.profile":
                account = self.state.accounts[did]
                account.name = record.value.get("displayName", account.name)
                account.description = record.value.get("description", "")

    def _post_came(self, record: Record, did: str) -> None:
        told = {did}
        if reply := record.value.get("reply"):
            self.reactions(reply["parent"]["uri"]).replies.append(record.uri)
            for end in ("parent", "root"):
                whom = parts(reply[end]["uri"])[0]
                if whom not in told:
                    self._notify(whom, did, Notice(record.uri, "reply", reply[end]["uri"]))
                    told.add(whom)
        if quoted := quoted_by(record.value):
            self.reactions(quoted).quotes.append(record.uri)
            if (whom := parts(quoted)[0]) not in told:
                self._notify(whom, did, Notice(record.uri, "quote", quoted))
                told.add(whom)
        for whom in mentioned_in(record.value):
            if whom not in told:
                self._notify(whom, did, Notice(record.uri, "mention"))
                told.add(whom)

    def _forget(self, record: Record) -> None:
        did, collection, rkey = parts(record.uri)
        del self.state.records[record.uri]
        keys = self.state.keys[f"{did}/{collection}"]
        del keys[bisect_left(keys, rkey)]
        value = record.value
        match collection:
            case "app.bsky.feed.post":
                if reply := value.get("reply"):
                    _without(self.reactions(reply["parent"]["uri"]).replies, record.uri)
                if quoted := quoted_by(value):
                    _without(self.reactions(quoted).quotes, record.uri)
            case "app.bsky.feed.like":
                self.reactions(value["subject"]["uri"]).likes.pop(did, None)
            case "app.bsky.feed.repost":
                self.reactions(value["subject"]["uri"]).reposts.pop(did, None)
            case "app.bsky.feed.threadgate":
                self._gate(value, did, rkey, hidden=False)
            case "app.bsky.graph.follow":
                self.state.followers.get(value["subject"], {}).pop(did, None)
                self.state.following[did] = max(0, self.state.following.get(did, 0) - 1)

    def _gate(self, value: dict[str, Any], did: str, rkey: str, *, hidden: bool) -> None:
        """Counts only beside the first post of the thread, under its key; hides nothing of other threads."""
        root = f"at://{did}/{POST}/{rkey}"
        for uri in value.get("hiddenReplies", ()) if value["post"] == root else ():
            answer = self.state.records.get(uri)
            if answer is not None and answer.value.get("reply", {}).get("root", {}).get("uri") == root:
                answer.hidden = hidden

    def _notify(self, whom: str, by: str, notice: Notice) -> None:
        if whom != by and whom in self.state.accounts:
            self.state.notices.setdefault(whom, []).append(notice)

    def reactions(self, uri: str) -> Reactions:
        return self.state.reactions.setdefault(uri, Reactions())

    # Lists

    def shown(self, record: Record) -> bool:
        """False while a listing lags behind."""
        lag = self.faults.listing_lag
        return not lag or record.indexed_at + timedelta(seconds=lag) <= self.now()

    def listed(self, did: str, collection: str) -> Iterator[Record]:
        """Newest record key first."""
        for rkey in reversed(self.state.keys.get(f"{did}/{collection}", ())):
            record = self.state.records[f"at://{did}/{collection}/{rkey}"]
            if self.shown(record):
                yield record

    def posts_of(self, did: str) -> list[Record]:
        """Oldest first, in the order they came."""
        keys = self.state.keys.get(f"{did}/{POST}", ())
        return sorted((self.state.records[f"at://{did}/{POST}/{rkey}"] for rkey in keys), key=lambda one: one.seq)

    def notices_for(self, did: str) -> Iterator[tuple[Notice, Record]]:
        """Newest first; what was taken back is gone."""
        for notice in reversed(self.state.notices.get(did, ())):
            record = self.state.records.get(notice.uri)
            if record is not None and self.shown(record):
                yield notice, record


def _without(uris: list[str], uri: str) -> None:
    if uri in uris:
        uris.remove(uri)


def quoted_by(value: dict[str, Any]) -> str:
    match value.get("embed"):
        case {"$type": "app.bsky.embed.record", "record": {"uri": str(uri)}}:
            return uri
        case {"$type": "app.bsky.embed.recordWithMedia", "record": {"record": {"uri": str(uri)}}}:
            return uri
    return ""


def mentioned_in(value: dict[str, Any]) -> Iterator[str]:
    for facet in value.get("facets", ()):
        for feature in facet["features"]:
            if feature["$type"] == "app.bsky.richtext.facet#mention":
                yield feature["did"]


__all__ = ["FOLLOW", "LIKE", "POST", "REPOST", "Store", "iso", "parts", "quoted_by", "tid"]
