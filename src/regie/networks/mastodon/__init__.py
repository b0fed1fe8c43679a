"""Mastodon, and every server that speaks its API: Pleroma, Akkoma, GoToSocial, snac and more."""
