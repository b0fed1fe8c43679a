"""A Reddit of our own: communities, votes, an inbox, moderators."""
