"""YouTube's sandbox."""
