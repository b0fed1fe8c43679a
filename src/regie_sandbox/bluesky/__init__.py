"""A Bluesky of our own: PDS, AppView, identity directory and authorization server behind one address."""
