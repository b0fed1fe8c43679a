"""Instagram's sandbox."""
