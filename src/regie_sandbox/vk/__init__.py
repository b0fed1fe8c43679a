"""VK's sandbox."""
