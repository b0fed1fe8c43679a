"""Pinterest, API v5."""
