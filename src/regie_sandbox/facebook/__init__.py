"""Facebook's sandbox: Pages."""
