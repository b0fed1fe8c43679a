"""X of our own: enough of its API v2 on the wire that the vendor's own client library works against it."""
