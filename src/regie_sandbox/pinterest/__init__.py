"""Pinterest's sandbox."""
