"""Régie: the self-hosted control room of a social media manager."""

__version__ = "0.1.0"
