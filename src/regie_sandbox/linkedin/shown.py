"""Things as LinkedIn shows them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from regie_sandbox.linkedin.state import Comment, Member, Notification, Page, Post
from regie_sandbox.linkedin.wire import Json

if TYPE_CHECKING:
    from regie_sandbox.linkedin.app import LinkedIn


def moment(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def localized(text: str) -> Json:
    return {"localized": {"en_US": text}, "preferredLocale": {"country": "US", "language": "en"}}


def member(one: Member) -> Json:
    return {
        "id": one.urn.rpartition(":")[2],
        "vanityName": one.vanity,
        "localizedFirstName": one.first,
        "localizedLastName": one.last,
        "firstName": localized(one.first),
        "lastName": localized(one.last),
        "localizedHeadline": "In practice",
    }


def page(one: Page) -> Json:
    return {
        "id": int(one.urn.rpartition(":")[2]),
        "vanityName": one.vanity,
        "localizedName": one.name,
        "name": localized(one.name),
        "primaryOrganizationType": "NONE",
    }


def post(one: Post) -> Json:
    return {
        **{name: value for name, value in one.body.items() if name not in ("author", "commentary")},
        "id": one.urn,
        "author": one.author,
        "commentary": one.commentary,
        "createdAt": moment(one.made_at),
        "publishedAt": moment(one.made_at),
        "lastModifiedAt": moment(one.changed_at),
        "lifecycleState": "PUBLISHED",
        "lifecycleStateInfo": {"isEditedByAuthor": one.edited},
    }


def comment(net: LinkedIn, one: Comment) -> Json:
    under = net.state.posts[one.post]
    replies = [other for other in under.comments if net.state.comments[other].parent == one.urn]
    return {
        "id": one.number,
        "commentUrn": one.urn,
        "actor": one.actor,
        "object": under.activity,
        "message": {"attributes": [], "text": one.text},
        "created": {"actor": one.actor, "time": moment(one.made_at)},
        "lastModified": {"actor": one.actor, "time": moment(one.made_at)},
        "likesSummary": {"totalLikes": len(one.likes), "aggregatedTotalLikes": len(one.likes)},
        **({"parentComment": one.parent} if one.parent else {}),
        **({"commentsSummary": {"totalFirstLevelComments": len(replies)}} if replies else {}),
    }


def notification(net: LinkedIn, one: Notification) -> Json:
    """As one was seen: ``sourcePost`` names the activity, and the comment's urn is cut short outside its decoration."""
    under = net.state.posts.get(one.post)
    activity = under.activity if under is not None else one.post
    source = {"entity": one.post, "mediaCategory": "NONE"}
    if under is not None:
        source |= {"owner": under.author, "text": under.text}
    told: Json = {
        "notificationId": one.id,
        "organizationalEntity": one.page,
        "action": one.action,
        "sourcePost": activity,
        "decoratedSourcePost": source,
        "lastModifiedAt": moment(one.at),
    }
    if one.comment:
        said = {"owner": one.owner, "text": one.text, "entity": one.comment, "object": activity}
        told["generatedActivity"] = one.comment.replace("(urn:li:", "(")
        if one.action != "COMMENT_DELETE":
            told["decoratedGeneratedActivity"] = {"comment": said}
    elif one.action == "SHARE_MENTION":
        told["generatedActivity"] = one.post
        told["decoratedGeneratedActivity"] = {"share": {"owner": one.owner, "text": one.text, "entity": one.post}}
    return told
