"""Pictures of pages for the documents: small, with words that stay sharp."""

import io
import os
from collections.abc import Sequence
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page

MOST_BYTES = 60 << 10
_COLOURS = (160, 128, 96, 64)
_QUALITIES = (84, 78, 72, 66, 60, 54, 48, 42, 36)


def shoot(page: Page, path: Path, *parts: Locator, wide: int = 0, most_high: int = 0) -> None:
    """Write what is seen of a page, or of these parts of it with what lies between them, to a small file.

    A PNG has few colours, a JPEG is for what shows footage. ``wide`` makes it smaller, ``most_high`` cuts off
    its foot.
    """
    page.evaluate("document.activeElement?.blur()")
    if parts:
        parts[0].evaluate("one => window.scrollTo(0, one.getBoundingClientRect().top + scrollY - 70)")
    clip = _around(page, parts, most_high)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(small(page.screenshot(clip=clip, animations="disabled"), path.suffix, wide))
    os.replace(partial, path)


def small(png: bytes, suffix: str, wide: int = 0) -> bytes:
    """A picture as a PNG or JPEG of at most :data:`MOST_BYTES`, as good as fits."""
    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGB")
    if wide and picture.width > wide:
        size = (wide, round(picture.height * wide / picture.width))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    for level in _QUALITIES if suffix == ".jpg" else _COLOURS:
        made = io.BytesIO()
        if suffix == ".jpg":
            picture.save(made, "JPEG", quality=level, optimize=True, progressive=True)
        else:
            few = picture.quantize(level, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
            few.save(made, "PNG", optimize=True)
        if made.tell() <= MOST_BYTES:
            return made.getvalue()
    raise AssertionError(f"{picture.width} × {picture.height} do not fit into {MOST_BYTES} bytes")


def _around(page: Page, parts: Sequence[Locator], most_high: int) -> dict[str, float] | None:
    if not parts:
        return None
    assert page.viewport_size is not None
    boxes = [box for box in (part.bounding_box() for part in parts) if box is not None]
    assert len(boxes) == len(parts), "each part is seen"
    left = max(0, min(box["x"] for box in boxes) - 8)
    top = max(0, min(box["y"] for box in boxes) - 8)
    right = min(page.viewport_size["width"], max(box["x"] + box["width"] for box in boxes) + 8)
    foot = min(page.viewport_size["height"], max(box["y"] + box["height"] for box in boxes) + 8)
    high = min(foot - top, most_high or foot - top)
    return {"x": left, "y": top, "width": right - left, "height": high}
