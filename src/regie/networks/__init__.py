"""The connectors: each translates between our words and one network's, and does nothing else.

Pure Python: no Django, no tables, no clock, no jobs, no retries of its own for anything that writes. A library that
could be used without the rest of the product. Start reading at ``protocols.py``.
"""
