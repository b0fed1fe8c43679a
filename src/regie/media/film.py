"""The media process: looks at one file, or makes another of it, and ends. Started by ``videos.Film``, never imported.

FFmpeg (videos, sounds) and pypdf (documents) read what strangers made, so they run here: with no secret in the
environment, a bound on memory, on time and on what may be written, one local file opened in the one format that its
first bytes named (a playlist or anything that names other files is not read), and no network. If it crashes, a line is
missing on a pipe.

Standard input has one JSON object, the order; standard output gets one a line: ``{"percent": 12}``, at last ``{"done":
{...}}`` or ``{"no": "<word of WHY in videos, sounds or documents>"}``. It knows nothing of the product but this page.
"""

from __future__ import annotations

import html
import json
import os
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from regie.core.parent import die_with_parent

ADDRESS_SPACE = 3 * 1024**3
MOST_SIDE, LEAST_SIDE = 8192, 16
THUMBNAIL = 960
LONGEST_HOURS = 12
LONGEST_TITLE = 255
TELLTALES = ("location", "gps", "make", "model", "artist", "author", "comment", "copyright", "description", "title")
SOUND_RATE, SOUND_BITS = 48_000, 128_000
MOST_RATE = 60
STILL_RATE = 25  # pictures a second of one that stands still: what networks ask for at least
KEY_EVERY = 2  # seconds between pictures that stand alone: networks cut and seek there
READ = {"protocol_whitelist": "file", "enable_drefs": "0", "use_absolute_path": "0"}


class No(Exception):
    """What is wrong, in one word of ``WHY``."""


def main() -> None:
    order = json.loads(sys.stdin.readline())
    die_with_parent(order["parent"])
    _bound(order)
    if order["do"] == "read":
        _answer(read, order, ())
        return
    import av

    av.logging.set_level(av.logging.PANIC)
    _answer({"look": look, "listen": listen, "make": make}[order["do"]], order, (av.error.FFmpegError,))


def _answer(
    do: Callable[[dict[str, Any]], dict[str, Any]], order: dict[str, Any], damaged: tuple[type[Exception], ...]
) -> None:
    expected: tuple[type[Exception], ...] = (*damaged, ValueError, IndexError, MemoryError)
    try:
        done = do(order)
    except No as exc:
        _say({"no": str(exc)})
    except expected:
        _say({"no": "damaged"})
    else:
        _say({"done": done})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _bound(order: dict[str, Any]) -> None:
    """Memory, processor time and the largest file it may write; it gives way to everything else."""
    os.nice(10)
    for what, most in (
        (resource.RLIMIT_AS, ADDRESS_SPACE),
        (resource.RLIMIT_CPU, int(order["cpu_seconds"])),
        (resource.RLIMIT_FSIZE, int(order["largest_file"])),
        (resource.RLIMIT_CORE, 0),
    ):
        allowed = resource.getrlimit(what)[1]
        bound = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(what, (bound, bound))


def _opened(order: dict[str, Any]) -> Any:
    import av

    return av.open(order["path"], format=order["format"], options=READ, metadata_errors="ignore")


def _picture_stream(container: Any) -> Any:
    """The video among the streams; a cover picture in a sound file is none."""
    for stream in container.streams.video:
        if not stream.disposition & _attached():
            return stream
    raise No("no_picture")


def _attached() -> Any:
    from av.stream import Disposition

    return Disposition.attached_pic


def look(order: dict[str, Any]) -> dict[str, Any]:
    """What the video is, and the picture that stands for it, written to ``order["thumbnail"]`` as WebP."""
    with _opened(order) as container:
        stream = _picture_stream(container)
        _must_be_sane(stream.codec_context.width, stream.codec_context.height)
        sound = next(iter(container.streams.audio), None)
        told = _names(container)
        seconds = _length(container, stream)
        frame = _frame_at(container, stream, order.get("cover_at") or min(1.0, seconds / 4))
        width, height = _seen(frame, stream)
        _must_be_sane(width, height)
        _thumbnail(frame, (width, height), Path(order["thumbnail"]))
        rate = stream.average_rate or stream.guessed_rate
        return {
            "width": width,
            "height": height,
            "seconds": round(seconds, 3),
            "frame_rate": round(float(rate), 3) if rate else None,
            "video_codec": stream.codec_context.codec.canonical_name,
            "audio_codec": sound.codec_context.codec.canonical_name if sound is not None else "",
            "turned": frame.rotation % 360 != 0 or _stretch(stream) != 1,
            "telling": told,
        }


def _must_be_sane(width: int, height: int) -> None:
    if max(width, height) > MOST_SIDE:
        raise No("too_large")
    if min(width, height) < LEAST_SIDE:
        raise No("too_small")


def _names(container: Any) -> bool:
    """Whether it says where, with what or by whom it was made."""
    keys = [*container.metadata, *(key for stream in container.streams for key in stream.metadata)]
    return any(word in key.lower() for key in keys for word in TELLTALES)


def _length(container: Any, stream: Any) -> float:
    """Seconds until its last picture is over, seen and not only declared: a file cut short says more than it has."""
    declared = _declared(container, stream)
    if declared > LONGEST_HOURS * 3600:
        raise No("too_long")
    if declared > 8:
        container.seek(int((declared - 4) * 1_000_000))
    last = 0.0
    for packet in container.demux(stream):
        if packet.pts is not None:
            last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    begin = float(stream.start_time * stream.time_base) if stream.start_time else 0.0
    last -= begin
    if last <= 0 or last < declared * 0.9 - 1:
        raise No("damaged")
    return last


def _declared(container: Any, stream: Any) -> float:
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / 1_000_000 if container.duration else 0.0


def _frame_at(container: Any, stream: Any, seconds: float) -> Any:
    """The first whole picture at or after ``seconds``, or the last one there is."""
    stream.thread_type = "AUTO"
    begin = stream.start_time or 0
    container.seek(begin + int(seconds / stream.time_base), stream=stream)
    found = None
    for frame in container.decode(stream):
        found = frame
        if frame.time is not None and frame.time - float(begin * stream.time_base) >= seconds - 0.001:
            break
    if found is None:
        raise No("damaged")
    _must_be_sane(found.width, found.height)
    return found


def _stretch(stream: Any) -> float:
    """By how much its pixels are wider than high; 1 for square ones."""
    return float(stream.sample_aspect_ratio or 1)


def _seen(frame: Any, stream: Any) -> tuple[int, int]:
    """Width and height upright, with square pixels."""
    width = round(frame.width * _stretch(stream))
    return (frame.height, width) if frame.rotation % 180 else (width, frame.height)


def _thumbnail(frame: Any, size: tuple[int, int], to: Path) -> None:
    width, height = size
    scale = min(1.0, THUMBNAIL / max(width, height))
    image = frame.to_image()
    if frame.rotation % 360:
        image = image.rotate(frame.rotation, expand=True)
    image.resize((max(1, round(width * scale)), max(1, round(height * scale)))).save(to, "WEBP", quality=80)


# Sounds


def listen(order: dict[str, Any]) -> dict[str, Any]:
    """What the sound is: how long, in which codec, under which title."""
    with _opened(order) as container:
        if any(not stream.disposition & _attached() for stream in container.streams.video):
            raise No("moving")
        sound = next(iter(container.streams.audio), None)
        if sound is None:
            raise No("silent")
        codec = sound.codec_context.codec.canonical_name
        seconds = _heard(container, sound)
        declared = _declared(container, sound)
        # MP3 only guesses how long it lasts; the others know.
        if seconds <= 0 or (order["format"] != "mp3" and seconds < declared * 0.9 - 1):
            raise No("damaged")
        return {"seconds": round(seconds, 3), "audio_codec": codec, "title": _title(_told(container, "title"))}


def _heard(container: Any, sound: Any) -> float:
    """Seconds of sound that are there. The beginning is decoded: bytes that only look like sound give nothing."""
    heard = False
    first: float | None = None
    last = 0.0
    for packet in container.demux(sound):
        if not heard:
            heard = any(frame.samples for frame in packet.decode())
        if packet.pts is not None:
            at = float(packet.pts * packet.time_base)
            first = at if first is None else first
            last = max(last, at + float((packet.duration or 0) * packet.time_base))
            if last - first > LONGEST_HOURS * 3600:
                raise No("too_long")
    return last - (first or 0.0) if heard else 0.0


def _told(container: Any, name: str) -> str | None:
    """What the file says of itself: of the whole, or (Ogg) of its sound."""
    for metadata in (container.metadata, *(stream.metadata for stream in container.streams.audio)):
        for key, value in metadata.items():
            if key.lower() == name:
                return str(value)
    return None


def _title(said: str | None) -> str:
    return " ".join((said or "").split())[:LONGEST_TITLE]


# Documents


def read(order: dict[str, Any]) -> dict[str, Any]:
    """What the document is: its type, how many pages it has, and what it calls itself."""
    return _pdf(order["path"]) if order["format"] == "pdf" else _office(order["path"])


def _pdf(path: str) -> dict[str, Any]:
    """Source: ISO 32000-1, 7.5: a file that is here whole ends with %%EOF (a little may follow)."""
    import logging

    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    logging.disable()
    with Path(path).open("rb") as source:
        source.seek(max(0, Path(path).stat().st_size - 2048))
        if b"%%EOF" not in source.read():
            raise No("damaged")
        try:
            document = PdfReader(source)
            if document.is_encrypted and not document.decrypt(""):
                raise No("locked")
            pages = len(document.pages)
            if not pages or min(document.pages[0].mediabox[2:]) <= 0:
                raise No("damaged")
            title = document.metadata.title if document.metadata else ""
        except (PyPdfError, KeyError, TypeError, AttributeError, RecursionError):
            raise No("damaged") from None
    return {"content_type": "application/pdf", "pages": pages, "title": _title(str(title or ""))}


_OFFICE = "application/vnd.openxmlformats-officedocument."
_WORD, _SLIDES = f"{_OFFICE}wordprocessingml.document", f"{_OFFICE}presentationml.presentation"
_SLIDE = re.compile(r"ppt/slides/slide\d+\.xml")
_DC_TITLE = re.compile(r"<dc:title>([^<]{1,1000})</dc:title>")


def _office(path: str) -> dict[str, Any]:
    """A Word file or a presentation, by what lies in the archive. Source: ECMA-376, part 2."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise No("macros")
            kind = {"word/document.xml": _WORD, "ppt/presentation.xml": _SLIDES}
            main = next((name for name in kind if name in names), None)
            if main is None or "[Content_Types].xml" not in names:
                raise No("other")
            with archive.open(main) as begin:
                begin.read(1024)
            title = _core_title(archive) if "docProps/core.xml" in names else ""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, zlib.error, EOFError):
        raise No("damaged") from None
    slides = sum(_SLIDE.fullmatch(name) is not None for name in names)
    return {"content_type": kind[main], "pages": slides or None, "title": _title(title)}


def _core_title(archive: zipfile.ZipFile) -> str:
    with archive.open("docProps/core.xml") as told:
        found = _DC_TITLE.search(told.read(64 * 1024).decode("utf-8", "replace"))
    return html.unescape(found[1]) if found else ""


def make(order: dict[str, Any]) -> dict[str, Any]:
    """Writes the video that ``order["plan"]`` describes to ``order["to"]``."""
    return {"copy": _copied, "encode": _encoded, "show": _shown, "sound": _heard_anew}[order["plan"]["do"]](order)


def _copied(order: dict[str, Any]) -> dict[str, Any]:
    """The same pictures and sound in a fresh container: without places, cameras and names."""
    import av

    with _opened(order) as source, av.open(order["to"], "w", format="mp4", options={"movflags": "+faststart"}) as made:
        picture = _picture_stream(source)
        streams = {picture.index: made.add_stream_from_template(picture)}
        for sound in source.streams.audio[:1]:
            streams[sound.index] = made.add_stream_from_template(sound)
        for stream in streams.values():
            stream.metadata.clear()
        told = _Progress(order["seconds"])
        for packet in source.demux([source.streams[index] for index in streams]):
            if packet.dts is None:
                continue
            if packet.stream.index == picture.index and packet.pts is not None:
                told.at(float(packet.pts * packet.time_base))
            packet.stream = streams[packet.stream.index]
            made.mux(packet)
    return {"size": Path(order["to"]).stat().st_size}


def _encoded(order: dict[str, Any]) -> dict[str, Any]:
    """Decoded, turned upright, cut, scaled and encoded again as H.264 and AAC."""
    import av

    plan = order["plan"]
    until = plan["seconds"]
    with _opened(order) as source, av.open(order["to"], "w", format="mp4", options={"movflags": "+faststart"}) as made:
        picture = _picture_stream(source)
        picture.thread_type = "AUTO"
        begin = float(picture.start_time * picture.time_base) if picture.start_time else 0.0
        film = _Film(made, picture, plan, begin)
        sound = _Sound(made, source.streams.audio[0], begin, until) if plan["sound"] else None
        told = _Progress(until)
        wanted = [picture] if sound is None else [picture, source.streams.audio[0]]
        over = {stream.index: False for stream in wanted}
        for packet in source.demux(wanted):
            for frame in packet.decode():
                at = (frame.time or 0.0) - begin
                if at >= until:
                    over[packet.stream.index] = True
                elif packet.stream.index == picture.index:
                    told.at(at)
                    film.take(frame)
                elif sound is not None:
                    sound.take(frame)
            if all(over.values()):
                break
        film.end()
        if sound is not None:
            sound.end()
    return {"size": Path(order["to"]).stat().st_size}


def _shown(order: dict[str, Any]) -> dict[str, Any]:
    """A picture that stands still while the sound plays: H.264 and AAC."""
    import av
    from PIL import Image

    plan = order["plan"]
    until = plan["seconds"]
    with _opened(order) as source, av.open(order["to"], "w", format="mp4", options={"movflags": "+faststart"}) as made:
        heard = source.streams.audio[0]
        begin = float(heard.start_time * heard.time_base) if heard.start_time else 0.0
        picture: Any = av.VideoFrame
        still = _Still(made, picture.from_image(Image.open(order["cover"]).convert("RGB")), plan)
        sound = _Sound(made, heard, begin, until)
        told = _Progress(until)
        for packet in source.demux(heard):
            at = float((packet.pts or 0) * packet.time_base) - begin if packet.pts is not None else 0.0
            if at >= until:
                break
            told.at(at)
            still.until(at)
            for frame in packet.decode():
                sound.take(frame)
        still.until(until)
        still.end()
        sound.end()
    return {"size": Path(order["to"]).stat().st_size}


def _heard_anew(order: dict[str, Any]) -> dict[str, Any]:
    """The sound alone, encoded as the plan says: without a cover, names and places."""
    import av

    plan = order["plan"]
    with _opened(order) as source, av.open(order["to"], "w", format=plan["container"]) as made:
        heard = source.streams.audio[0]
        begin = float(heard.start_time * heard.time_base) if heard.start_time else 0.0
        sound = _Sound(made, heard, begin, plan["seconds"], codec=plan["codec"], bits=plan["bits"])
        told = _Progress(plan["seconds"])
        for packet in source.demux(heard):
            if packet.pts is not None:
                told.at(float(packet.pts * packet.time_base) - begin)
            for frame in packet.decode():
                sound.take(frame)
        sound.end()
    return {"size": Path(order["to"]).stat().st_size}


class _Still:
    """One picture again and again, in even steps."""

    def __init__(self, made: Any, picture: Any, plan: dict[str, Any]) -> None:
        self.made, self.next, self.picture = made, 0, picture
        graph = _graph(picture, plan)
        graph.push(picture)
        self.picture = graph.pull()
        self.out = made.add_stream("libx264", rate=STILL_RATE)
        self.out.width, self.out.height, self.out.pix_fmt = plan["width"], plan["height"], "yuv420p"
        self.out.bit_rate = plan["bits"]
        self.out.codec_context.time_base = Fraction(1, STILL_RATE)
        self.out.codec_context.gop_size = STILL_RATE * KEY_EVERY
        self.out.options = {"preset": "veryfast", "tune": "stillimage", "threads": "2"}

    def until(self, seconds: float) -> None:
        """Shows it up to that moment."""
        while self.next < seconds * STILL_RATE:
            self.picture.pts, self.picture.time_base = self.next, Fraction(1, STILL_RATE)
            self.picture.pict_type = 0
            self.made.mux(self.out.encode(self.picture))
            self.next += 1

    def end(self) -> None:
        self.made.mux(self.out.encode(None))


class _Film:
    """The pictures on their way from one codec to the other."""

    def __init__(self, made: Any, source: Any, plan: dict[str, Any], begin: float) -> None:
        self.made, self.plan, self.begin, self.last = made, plan, begin, -1
        self.graph: Any = None
        rate = Fraction(source.average_rate or source.guessed_rate or 30).limit_denominator(1001)
        self.rate = min(max(rate, Fraction(1)), Fraction(MOST_RATE))
        self.out = made.add_stream("libx264", rate=self.rate)
        self.out.width, self.out.height = plan["width"], plan["height"]
        self.out.pix_fmt = "yuv420p"
        self.out.bit_rate = plan["bits"]
        self.out.codec_context.time_base = 1 / self.rate
        self.out.codec_context.gop_size = max(1, round(self.rate * KEY_EVERY))
        self.out.options = {
            "preset": "veryfast",
            "maxrate": str(int(plan["bits"] * 1.25)),
            "bufsize": str(int(plan["bits"] * 1.5)),
            "threads": "2",
        }

    def take(self, frame: Any) -> None:
        """Even steps in time: a picture that comes too soon is left out, a gap is filled with the one before it."""
        number = round(((frame.time or 0.0) - self.begin) * self.rate)
        if number <= self.last:
            return
        ready = self._drawn(frame)
        for step in range(max(self.last + 1, number - int(self.rate)), number + 1):
            ready.pts, ready.time_base = step, 1 / self.rate
            ready.pict_type = 0
            self.made.mux(self.out.encode(ready))
        self.last = number

    def _drawn(self, frame: Any) -> Any:
        if self.graph is None:
            self.graph = _graph(frame, self.plan)
        self.graph.push(frame)
        return self.graph.pull()

    def end(self) -> None:
        if self.last < 0:
            raise No("damaged")
        self.made.mux(self.out.encode(None))


def _graph(frame: Any, plan: dict[str, Any]) -> Any:
    from av.filter import Graph

    graph = Graph()
    last = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
    )
    crop = plan["crop"]  # of the picture as it is seen: parts of 1
    steps = [
        *TURNS.get(frame.rotation % 360, ()),
        ("crop", f"iw*{crop['width']}:ih*{crop['height']}:iw*{crop['left']}:ih*{crop['top']}"),
        ("scale", f"{plan['width']}:{plan['height']}:flags=bicubic"),
        ("setsar", "1"),
        ("format", "yuv420p"),
        ("buffersink", None),
    ]
    for name, arguments in steps:
        step = graph.add(name, arguments) if arguments else graph.add(name)
        last.link_to(step)
        last = step
    graph.configure()
    return graph


TURNS = {90: (("transpose", "cclock"),), 180: (("hflip", None), ("vflip", None)), 270: (("transpose", "clock"),)}
"""``frame.rotation`` says how far to turn against the clock."""


class _Sound:
    """The sound on its way: two channels, 48 kHz."""

    def __init__(
        self, made: Any, source: Any, begin: float, until: float, *, codec: str = "aac", bits: int = SOUND_BITS
    ) -> None:
        import av

        self.made, self.begin, self.until = made, begin, until
        self.out = made.add_stream(codec, rate=SOUND_RATE, layout="stereo")
        self.out.bit_rate = bits
        packed = "flt" if codec == "libopus" else "fltp"
        self.shape = av.AudioResampler(format=packed, layout="stereo", rate=SOUND_RATE)
        self.at = 0

    def take(self, frame: Any) -> None:
        if self.at == 0 and frame.time is not None:
            self.at = max(0, round((frame.time - self.begin) * SOUND_RATE))
        frame.pts = None
        for piece in self.shape.resample(frame):
            self._write(piece)

    def _write(self, piece: Any) -> None:
        piece.pts, piece.time_base = self.at, Fraction(1, SOUND_RATE)
        self.at += piece.samples
        self.made.mux(self.out.encode(piece))

    def end(self) -> None:
        for piece in self.shape.resample(None):
            self._write(piece)
        self.made.mux(self.out.encode(None))


class _Progress:
    """Says each percent once."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.said = max(seconds, 0.001), -1

    def at(self, seconds: float) -> None:
        percent = max(0, min(99, int(100 * seconds / self.seconds)))
        if percent > self.said:
            self.said = percent
            _say({"percent": percent})


if __name__ == "__main__":
    main()
