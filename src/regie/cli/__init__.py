"""``regie``: every command of the product. ``regie help`` lists them; each role of the product is one of them."""

from regie.cli.main import main

__all__ = ["main"]
