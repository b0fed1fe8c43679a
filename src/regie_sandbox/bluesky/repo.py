"""Each account's records and files, as their server keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web

from regie_sandbox.bluesky.call import Call, Handle, text_in
from regie_sandbox.bluesky.cbor import cid_of_bytes
from regie_sandbox.bluesky.lexicon import FOLLOW, LIKE, POST, REPOST, blobs_in
from regie_sandbox.bluesky.limits import CREATE, DELETE, UPDATE
from regie_sandbox.bluesky.problem import Problem, invalid
from regie_sandbox.bluesky.state import Account, Blob, Record
from regie_sandbox.bluesky.store import parts

if TYPE_CHECKING:
    from regie_sandbox.bluesky.app import Bluesky

LARGEST_UPLOAD = 5 * 1024 * 1024
MAGIC = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"))


class Repo:
    def __init__(self, net: Bluesky) -> None:
        self.net = net
        self.handlers: dict[tuple[str, str], Handle] = {
            ("GET", "com.atproto.repo.describeRepo"): self._describe_repo,
            ("POST", "com.atproto.repo.uploadBlob"): self._upload_blob,
            ("POST", "com.atproto.repo.createRecord"): self._create_record,
            ("POST", "com.atproto.repo.putRecord"): self._put_record,
            ("POST", "com.atproto.repo.deleteRecord"): self._delete_record,
            ("GET", "com.atproto.repo.getRecord"): self._get_record,
            ("GET", "com.atproto.repo.listRecords"): self._list_records,
            ("GET", "com.atproto.sync.getBlob"): self._get_blob,
        }

    def _describe_repo(self, call: Call) -> dict[str, Any]:
        account = self._found(call.needed("repo"))
        mine = [
            key.split("/")[1] for key, names in self.net.state.keys.items() if names and key.startswith(account.did)
        ]
        return {
            "handle": account.handle,
            "did": account.did,
            "didDoc": self.net.accounts.did_doc(account),
            "collections": mine,
            "handleIsCorrect": True,
        }

    def _found(self, name: str) -> Account:
        account = self.net.state.accounts.get(name) or self.net.state.accounts.get(self.net.state.handles.get(name, ""))
        if account is None:
            raise invalid(f"Could not find repo: {name}", "RepoNotFound")
        return account

    def _upload_blob(self, call: Call) -> dict[str, Any]:
        self.net.who(call)
        if len(call.body) > LARGEST_UPLOAD:
            raise Problem(413, "PayloadTooLarge", "request entity too large")
        cid = cid_of_bytes(call.body)
        mime = _mime_of(call.body) or call.request.content_type
        self.net.state.blobs[cid] = Blob(mime, len(call.body))
        self.net.world.files.put(f"bluesky-{cid}", call.body)
        return {"blob": {"$type": "blob", "ref": {"$link": cid}, "mimeType": mime, "size": len(call.body)}}

    def _may_write(self, call: Call, body: Mapping[str, Any]) -> Account:
        token = self.net.who(call)
        repo = text_in(body, "repo")
        account = self.net.state.accounts.get(repo) or self.net.state.accounts.get(self.net.state.handles.get(repo, ""))
        if account is None or account.did != token.did:
            raise Problem(401, "AuthenticationRequired", "Authentication Required")
        if token.jkt and "transition:generic" not in token.scope.split():
            raise Problem(403, "ScopeMissingError", 'Missing required scope "transition:generic"')
        return account

    def _create_record(self, call: Call) -> dict[str, Any]:
        body = call.json()
        account = self._may_write(call, body)
        call.headers |= self.net.meter.write(account.did, CREATE)
        rkey = text_in(body, "rkey") if "rkey" in body else None
        return self._written(
            account,
            *self.net.store.put(account.did, text_in(body, "collection"), rkey, body.get("record"), create=True),
        )

    def _put_record(self, call: Call) -> dict[str, Any]:
        body = call.json()
        account = self._may_write(call, body)
        call.headers |= self.net.meter.write(account.did, UPDATE)
        return self._written(
            account,
            *self.net.store.put(
                account.did,
                text_in(body, "collection"),
                text_in(body, "rkey"),
                body.get("record"),
                must_be=body.get("swapRecord", ""),
            ),
        )

    def _written(self, account: Account, record: Record, what: str) -> dict[str, Any]:
        answer: dict[str, Any] = {"uri": record.uri, "cid": record.cid, "validationStatus": "valid"}
        if what != "same":
            self.note(account, record, what)
            answer["commit"] = {"cid": record.cid, "rev": parts(record.uri)[2]}
        return answer

    def note(self, account: Account, record: Record, what: str) -> None:
        _, collection, rkey = parts(record.uri)
        kinds = {POST: "reply" if "reply" in record.value else "post", LIKE: "like", REPOST: "share", FOLLOW: "follow"}
        kind = kinds.get(collection, collection.rsplit(".", 1)[1])
        self.net.world.ledger.accepted(
            network=self.net.slug,
            account=account.did,
            remote_id=record.uri,
            text=record.value.get("text", "") if collection == POST else "",
            kind=kind if what == "created" else "edit",
            key=rkey,
            media=sum(1 for _ in blobs_in(record.value.get("embed"))),
        )

    def _delete_record(self, call: Call) -> dict[str, Any]:
        body = call.json()
        account = self._may_write(call, body)
        call.headers |= self.net.meter.write(account.did, DELETE)
        record = self.net.store.delete(f"at://{account.did}/{text_in(body, 'collection')}/{text_in(body, 'rkey')}")
        if record is None:
            return {}
        self.net.world.ledger.accepted(
            network=self.net.slug, account=account.did, remote_id=record.uri, text="", kind="delete"
        )
        return {"commit": {"cid": record.cid, "rev": parts(record.uri)[2]}}

    def _get_record(self, call: Call) -> dict[str, Any]:
        account = self._found(call.needed("repo"))
        uri = f"at://{account.did}/{call.needed('collection')}/{call.needed('rkey')}"
        record = self.net.state.records.get(uri)
        if record is None:
            raise invalid(f"Could not locate record: {uri}", "RecordNotFound")
        return {"uri": uri, "cid": record.cid, "value": record.value}

    def _list_records(self, call: Call) -> dict[str, Any]:
        account, cursor = self._found(call.needed("repo")), call.request.query.get("cursor", "")
        limit, found = call.number("limit", 50, 1, 100), list[Record]()
        for record in self.net.store.listed(account.did, call.needed("collection")):
            if not cursor or parts(record.uri)[2] < cursor:
                found.append(record)
            if len(found) == limit:
                break
        records = [{"uri": one.uri, "cid": one.cid, "value": one.value} for one in found]
        return {"records": records, **({"cursor": parts(found[-1].uri)[2]} if found else {})}

    def _get_blob(self, call: Call) -> web.Response:
        return self._bytes(call.needed("cid"))

    async def picture(self, request: web.Request) -> web.Response:
        try:
            return self._bytes(request.match_info["cid"])
        except Problem:
            return web.Response(status=404, text="Blob not found")

    def _bytes(self, cid: str) -> web.Response:
        blob, content = self.net.state.blobs.get(cid), self.net.world.files.get(f"bluesky-{cid}")
        if blob is None or content is None:
            raise invalid("Blob not found", "BlobNotFound")
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
        return web.Response(body=content, content_type=blob.mime, headers=headers)


def _mime_of(content: bytes) -> str:
    for magic, mime in MAGIC:
        if content.startswith(magic):
            return mime
    if content[4:8] == b"ftyp":
        return "video/mp4"
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else ""
