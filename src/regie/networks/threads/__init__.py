"""Threads accounts, through Threads' own login at Meta."""
