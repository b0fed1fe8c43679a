"""What Google's sandboxes share: signing in, errors on the wire."""
