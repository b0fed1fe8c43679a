"""Settings, addresses and the two server entry points. Every environment variable is read in ``env.py``."""
