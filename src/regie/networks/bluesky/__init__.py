"""Bluesky and every other server of the AT Protocol: posts are records that we name ourselves."""
