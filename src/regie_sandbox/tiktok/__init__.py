"""TikTok's sandbox."""
