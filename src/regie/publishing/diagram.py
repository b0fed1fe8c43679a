"""The states as a picture, made from the table that the database enforces."""

from __future__ import annotations

from regie.publishing.states import BEGINNINGS, FOLLOWS, State


def mermaid() -> str:
    """A mermaid state diagram, for docs/decisions/0002-publishing-engine.md."""
    lines = ["stateDiagram-v2", *(f"    [*] --> {state}" for state in State if state in BEGINNINGS)]
    lines += [f"    {old} --> {new}" for old in State for new in State if new in FOLLOWS[old]]
    return "\n".join(lines)
