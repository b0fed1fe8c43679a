"""Instagram's professional accounts, through either of Meta's two logins."""
