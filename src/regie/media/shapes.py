"""Which piece of a picture stays when a network wants another shape: around the point that matters."""

from __future__ import annotations

from dataclasses import dataclass

NEAR = 0.005  # ratios that differ by less are the same


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a picture as it is seen; all four as parts of 1."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    @property
    def is_all(self) -> bool:
        return self.width == 1.0 and self.height == 1.0


ALL = Piece()


def piece_within(
    width: int, height: int, focus: tuple[float, float], narrowest: float | None, widest: float | None
) -> Piece:
    """The largest piece whose ratio (width / height) is within both bounds. ``focus`` in -1..1, y up."""
    ratio = width / height
    if widest is not None and ratio > widest + NEAR:
        part = widest / ratio
        return Piece(left=_slide(focus[0], part), width=part)
    if narrowest is not None and ratio < narrowest - NEAR:
        part = ratio / narrowest
        return Piece(top=_slide(-focus[1], part), height=part)
    return ALL


def _slide(focus: float, part: float) -> float:
    """Where a piece of that length begins so that the point (-1..1) is as near its middle as the edges allow."""
    return max(0.0, min(1.0 - part, (focus + 1) / 2 - part / 2))
