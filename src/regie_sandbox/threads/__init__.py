"""A Threads of our own, on what Meta's sandboxes share."""
