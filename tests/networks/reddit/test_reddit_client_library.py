"""PRAW, the client that most programs on Reddit use, works against our sandbox: a second witness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import praw
import prawcore
import pytest
from praw.exceptions import RedditAPIException

from regie_sandbox.frame import World
from regie_sandbox.reddit.app import Reddit
from regie_sandbox.reddit.state import Flair
from regie_sandbox.registry import network as sandbox_network
from regie_sandbox.server import in_thread


@pytest.fixture
def sandbox() -> Iterator[Reddit]:
    network = sandbox_network("reddit", World(seed=7))
    assert isinstance(network, Reddit)
    network.meter.most = 10**6  # PRAW spreads its requests over what is left of the window
    with in_thread(network.world):
        yield network


@pytest.fixture
def client(sandbox: Reddit) -> Any:
    """Signed in as the ready account; it fetches an access token of its own with the refresh token."""
    ready = sandbox.ready_account()
    return praw.Reddit(
        client_id=ready["client_id"],
        client_secret=ready["client_secret"],
        refresh_token=ready["credentials"]["refresh_token"],
        user_agent="tests:regie:1",
        oauth_url=sandbox.base,
        reddit_url=sandbox.base,
        check_for_updates=False,
    )


def test_a_text_is_submitted_read_back_answered_measured_and_deleted(client: Any, sandbox: Reddit) -> None:
    post = client.subreddit("regie_hq").submit("Good morning", selftext="Open <until> six & later")
    assert sandbox.texts() == ["Open <until> six & later"]
    assert (post.title, post.selftext, post.author.name) == ("Good morning", "Open <until> six & later", "regie")
    comment = post.reply("The address is below")
    sandbox.say(by="ana", text="Until when?", to=comment.fullname)
    again = client.submission(post.id)
    assert [one.body for one in again.comments.list()] == ["The address is below", "Until when?"]
    sandbox.like(by="ana", post_id=post.fullname)
    assert (again.score, again.upvote_ratio, again.num_comments) == (1, 1.0, 2)
    assert client.submission(post.id).score == 2
    again.edit("Open until seven")
    assert sandbox.texts() == ["Open until seven"]
    again.delete()
    assert sandbox.texts() == []


def test_links_flairs_and_polls(client: Any, sandbox: Reddit) -> None:
    sandbox.community("regie_hq").flairs = [Flair("f1", "News"), Flair("f2", "Team", mod_only=True)]
    community = client.subreddit("regie_hq")
    (choice,) = community.flair.link_templates.user_selectable()
    link = community.submit(
        "Our page", url="https://example.com/", flair_id=choice["flair_template_id"], nsfw=True, spoiler=True
    )
    assert (link.url, link.link_flair_text, link.over_18, link.spoiler) == ("https://example.com/", "News", True, True)
    poll = community.submit("Which?", selftext="Tell us", poll={"options": ["Tea", "Coffee"], "duration": 3})
    assert [option.text for option in poll.poll_data.options] == ["Tea", "Coffee"]
    assert [one.title for one in client.user.me().submissions.new()] == ["Which?", "Our page"]


def test_what_a_community_forbids_is_said_as_reddit_says_it(client: Any, sandbox: Reddit) -> None:
    with pytest.raises(RedditAPIException) as told:
        client.subreddit("nowhere").submit("Hello", selftext="")
    assert told.value.items[0].error_type == "SUBREDDIT_NOEXIST"
    sandbox.community("regie_hq").wants.title_blacklisted_strings = ["hello"]
    assert client.subreddit("regie_hq").post_requirements()["title_blacklisted_strings"] == ["hello"]
    with pytest.raises(RedditAPIException) as told:
        client.subreddit("regie_hq").submit("Hello", selftext="")
    assert told.value.items[0].error_type == "SUBMIT_VALIDATION_TITLE_BLACKLISTED_STRING"


def test_the_inbox_is_read_answered_and_voted_on(client: Any, sandbox: Reddit) -> None:
    post = client.subreddit("regie_hq").submit("Good morning", selftext="Open until six")
    sandbox.say(by="ana", text="Until when?", to=post.fullname)
    sandbox.say(by="ben", text="have a look", to="regie", kind="mention")
    sandbox.say(by="cleo", text="Psst", to="regie", kind="direct")
    assert [one.body for one in client.inbox.all()] == ["Psst", "u/regie have a look", "Until when?"]
    assert [one.body for one in client.inbox.mentions()] == ["u/regie have a look"]
    (comment,) = client.inbox.submission_replies()
    comment.upvote()
    assert sandbox.state.comments[comment.fullname].votes == {"ana": 1, "regie": 1}
    comment.mod.remove()
    assert sandbox.state.comments[comment.fullname].hidden
    comment.mod.approve()
    assert not sandbox.state.comments[comment.fullname].hidden
    (message,) = client.inbox.messages()
    assert message.reply("Yes?").dest == "cleo"
    client.inbox.mark_read(list(client.inbox.unread()))
    assert list(client.inbox.unread()) == []


def test_without_a_scope_prawcore_knows_why(client: Any, sandbox: Reddit) -> None:
    person, app = sandbox.person("regie"), sandbox.make_app()
    _, lasting = sandbox.new_tokens(person, app, ["identity"], permanent=True)
    narrow = praw.Reddit(
        client_id=app.id,
        client_secret=app.secret,
        refresh_token=lasting,
        user_agent="tests:regie:1",
        oauth_url=sandbox.base,
        reddit_url=sandbox.base,
        check_for_updates=False,
    )
    me = narrow.user.me()
    assert me is not None
    assert me.name == "regie"
    with pytest.raises(prawcore.InsufficientScope):
        narrow.subreddit("regie_hq").submit("Hello", selftext="")
    sandbox.expire_tokens()
    assert client.user.me().name == "regie"  # it refreshes by itself


def test_modmail_is_listed_read_and_answered(client: Any, sandbox: Reddit) -> None:
    community = sandbox.community("regie_hq")
    mail = sandbox.write_to_community(sandbox.person("ana"), community, "Opening hours", "Until when?")
    (listed,) = client.subreddit("regie_hq").modmail.conversations(state="all")
    assert (listed.id, listed.subject) == (mail.id, "Opening hours")
    whole = client.subreddit("regie_hq").modmail(mail.id)
    assert [one.body_markdown for one in whole.messages] == ["Until when?"]
    whole.reply(body="Until six")
    assert [(one.author, one.text) for one in mail.said] == [("ana", "Until when?"), ("regie", "Until six")]
