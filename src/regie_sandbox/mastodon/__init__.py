"""A Mastodon server of our own: enough of Mastodon 4.x on the wire that its client libraries work against it."""
