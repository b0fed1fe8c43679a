"""Draws the demo's pictures: soft bands of colour with a grain, so that nothing has to be shipped or licensed."""

from __future__ import annotations

import random
from functools import cache
from io import BytesIO

from PIL import Image, ImageColor, ImageDraw, ImageFilter

from regie.cli.demo.brands import Picture

SIZE = (1200, 1200)


def draw(picture: Picture) -> BytesIO:
    """The picture as JPEG, the same each time but for its grain."""
    dice = random.Random(picture.name)  # noqa: S311
    top, middle, bottom = (ImageColor.getrgb(colour)[:3] for colour in picture.colours)
    image = Image.new("RGB", SIZE, top)
    pen = ImageDraw.Draw(image)
    for _ in range(9):
        colour = dice.choice((top, middle, bottom))
        radius = dice.randint(140, 420)
        x, y = dice.randint(0, SIZE[0]), dice.randint(SIZE[1] // 4, SIZE[1])
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
    pen.polygon([(0, 900), (420, 760), (860, 880), (1200, 720), (1200, 1200), (0, 1200)], fill=bottom)
    image = image.reduce(4).filter(ImageFilter.GaussianBlur(9.5)).resize(SIZE, Image.Resampling.BICUBIC)
    made = BytesIO()
    Image.blend(image, _grain(), 0.06).save(made, "JPEG", quality=82)
    made.seek(0)
    return made


@cache
def _grain() -> Image.Image:
    return Image.effect_noise(SIZE, 26).convert("RGB")
