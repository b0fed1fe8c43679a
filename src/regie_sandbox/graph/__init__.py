"""Meta's Graph API, as far as its sandboxes share it."""
