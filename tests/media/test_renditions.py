"""What networks are given of a picture."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from regie.media import services
from regie.media.errors import CannotFit, DiskFull
from regie.media.models import File, Rendition
from regie.networks.capabilities import ImageLimit
from regie.people.models import Member

Picture = Callable[..., BytesIO]
TYPES = ("image/jpeg", "image/png", "image/webp")


def limits(**changes: object) -> ImageLimit:
    given: dict[str, object] = {"most": 4, "largest_bytes": 1_000_000, "types": TYPES, **changes}
    return ImageLimit(**given)  # type: ignore[arg-type]


@pytest.fixture
def keep(alice: Member) -> Callable[..., File]:
    def keep(source: BytesIO, name: str = "photo.jpg") -> File:
        return services.upload(workspace=alice.workspace, name=name, source=source, by=alice)

    return keep


def opened(rendition: Rendition) -> Image.Image:
    with rendition.file.open("rb") as file:
        image = Image.open(BytesIO(file.read()))
        image.load()
    return image


def test_a_picture_that_fits_goes_out_byte_for_byte(keep: Callable[..., File], picture: Picture) -> None:
    file = keep(picture())
    rendition = services.rendition_for(file, limits())
    assert rendition.file.name == file.file.name
    assert (rendition.width, rendition.height, rendition.size) == (320, 240, file.size)


def test_the_place_where_it_was_taken_does_not_leave_us(keep: Callable[..., File], picture: Picture) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera of Alice"
    exif.get_ifd(0x8825)[1] = "N"
    file = keep(picture(exif=exif))
    with file.file.open("rb") as stored:
        assert b"Camera of Alice" in stored.read()
    rendition = services.rendition_for(file, limits())
    with rendition.file.open("rb") as sent:
        assert b"Camera of Alice" not in sent.read()
    assert len(opened(rendition).getexif()) == 0


def test_a_picture_taken_sideways_stands_upright(keep: Callable[..., File], picture: Picture) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = keep(picture(width=400, height=200, exif=exif))
    assert (file.width, file.height) == (200, 400)
    rendition = services.rendition_for(file, limits())
    assert opened(rendition).size == (rendition.width, rendition.height) == (200, 400)


@pytest.mark.parametrize(
    ("limit", "fits"),
    [
        ({"longest_side": 500}, lambda r: max(r.width, r.height) == 500),
        ({"side_sum": 700}, lambda r: r.width + r.height <= 700),
        ({"largest_pixels": 100_000}, lambda r: r.width * r.height <= 100_000),
        ({"largest_bytes": 40_000}, lambda r: r.size <= 40_000),
    ],
)
def test_a_picture_is_made_smaller_until_it_fits(
    keep: Callable[..., File], picture: Picture, limit: dict[str, int], fits: Callable[[Rendition], bool]
) -> None:
    rendition = services.rendition_for(keep(picture(width=1200, height=900, noise=True)), limits(**limit))
    assert fits(rendition)
    assert rendition.width / rendition.height == pytest.approx(4 / 3, rel=0.01)
    assert opened(rendition).size == (rendition.width, rendition.height)


def test_a_type_the_network_does_not_take_becomes_one_it_takes(keep: Callable[..., File], picture: Picture) -> None:
    rendition = services.rendition_for(keep(picture(kind="WEBP"), "photo.webp"), limits(types=("image/jpeg",)))
    assert rendition.content_type == "image/jpeg"
    assert opened(rendition).format == "JPEG"


def test_a_see_through_picture_stays_so_where_the_network_allows_it(keep: Callable[..., File]) -> None:
    drawing = BytesIO()
    Image.new("RGBA", (90, 90), (200, 0, 0, 0)).save(drawing, "PNG")
    file = keep(drawing, "logo.png")
    kept = services.rendition_for(file, limits(longest_side=80))
    assert opened(kept).convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]
    flat = services.rendition_for(file, limits(types=("image/jpeg",)))
    assert opened(flat).getpixel((5, 5)) == (255, 255, 255)


def test_a_moving_picture_stays_as_it_is_or_becomes_its_first_frame(keep: Callable[..., File]) -> None:
    moving = BytesIO()
    frames = [Image.new("P", (60, 60), colour) for colour in (0, 90)]
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:], duration=80)
    file = keep(moving, "wave.gif")
    assert services.rendition_for(file, limits(types=(*TYPES, "image/gif"))).file.name == file.file.name
    still = services.rendition_for(file, limits())
    assert still.content_type == "image/jpeg"


def test_a_rendition_is_made_once(keep: Callable[..., File], picture: Picture) -> None:
    file = keep(picture(width=900))
    first = services.rendition_for(file, limits(longest_side=100))
    assert services.rendition_for(file, limits(longest_side=100)) == first
    assert services.rendition_for(file, limits(longest_side=101)) != first


def test_a_picture_too_thin_for_the_network_says_to_crop_it(keep: Callable[..., File], picture: Picture) -> None:
    with pytest.raises(CannotFit, match="crop"):
        services.rendition_for(keep(picture(width=1000, height=20)), limits(widest_ratio=20))


def test_a_picture_that_can_never_be_small_enough_says_so(keep: Callable[..., File], picture: Picture) -> None:
    with pytest.raises(CannotFit, match="small enough"):
        services.rendition_for(keep(picture(noise=True)), limits(largest_bytes=100))


def test_a_full_disk_is_said_in_a_sentence(
    keep: Callable[..., File], picture: Picture, full_disk: Callable[[File], None]
) -> None:
    file = keep(picture(width=900))
    full_disk(file)
    with pytest.raises(DiskFull, match="make room"):
        services.rendition_for(file, limits(longest_side=100))
    assert not file.renditions.exists()


def test_a_picture_of_the_wrong_shape_is_cut_around_the_point_that_matters(
    keep: Callable[..., File], alice: Member
) -> None:
    wide = BytesIO()
    drawn = Image.new("RGB", (400, 100), "teal")
    drawn.paste((255, 0, 0), (0, 0, 40, 100))
    drawn.save(wide, "PNG")
    file = keep(wide, "banner.png")
    middle = services.rendition_for(file, limits(broadest=1.91))
    assert middle.width / middle.height == pytest.approx(1.91, rel=0.01)
    assert opened(middle).convert("RGB").getpixel((2, 50))[0] < 100  # type: ignore[index]
    services.describe(file=file, alt="", name="", focus=(-1, 0), by=alice)
    left = services.rendition_for(file, limits(broadest=1.91))
    assert opened(left).convert("RGB").getpixel((2, 50))[0] > 200  # type: ignore[index]


def test_a_tall_picture_loses_what_the_network_does_not_show(keep: Callable[..., File], picture: Picture) -> None:
    rendition = services.rendition_for(keep(picture(width=100, height=300)), limits(tallest=0.8))
    assert (rendition.width, rendition.height) == (100, 125)
