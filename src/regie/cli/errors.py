"""How a command ends early."""


class Stop(Exception):
    """The command cannot go on. The text is a sentence for the person who typed it, with what to do."""
