"""TikTok: accounts that signed in through its open API."""
