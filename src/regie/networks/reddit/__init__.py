"""Reddit accounts, posting to communities and to their own profile."""
