"""The one-page guides on paper: Markdown and its pictures, set in two columns and printed by Chromium.

``make guides`` writes the PDFs into the folder from which the console serves them.
"""

import base64
import io
import re
import subprocess
from html import escape, unescape
from pathlib import Path

from markdown_it import MarkdownIt
from PIL import Image

from api.web.guides import GUIDES as OFFERED
from api.web.guides import PRINTED

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "guide"
GUIDES = tuple(f"panduan-{one.name}" for one in OFFERED)
_TAG = re.compile(r"<[^>]+>")
_BLOCK = re.compile(r"<(h1|h2|p|li|th|td)\b[^>]*>(.*?)</\1>", re.DOTALL)
_PICTURE = re.compile(r'src="([^"]+)"')
_LINK = re.compile(r'<a href="[^"]*">(.*?)</a>')

_STYLE = """
@page { size: A4; margin: 9mm 10mm 8mm }
* { font-variant-ligatures: none }
body { margin: 0; font: 9pt/1.36 "DejaVu Sans", sans-serif; color: #14202b }
h1 { font-size: 14.5pt; line-height: 1.2; margin: 0 0 2mm; padding-bottom: 1.6mm }
h1 { border-bottom: .7mm solid #17527d }
h2 { font-size: 10.4pt; margin: 2.6mm 0 .8mm; color: #17527d; break-after: avoid }
main { columns: 2; column-gap: 7mm }
p { margin: 0 0 1.6mm; break-inside: avoid }
ol { margin: 0; padding-left: 6mm }
li { margin: 0 0 1mm; break-inside: avoid }
li p { margin: 0 }
code { font: .95em "DejaVu Sans Mono", monospace; background: #eaf0f4; padding: 0 .6mm; border-radius: .6mm }
img { display: block; max-width: 100%; max-height: 64mm; margin: 1.2mm 0 }
img { border: .2mm solid #9db0be; border-radius: .8mm }
"""


def html_of(guide: str) -> str:
    """A guide as one HTML page that needs nothing else."""
    made = _rendered(guide)
    head, body = made.split("</h1>", 1)
    title = escape(unescape(_TAG.sub("", head)).strip())
    body = _LINK.sub(r"\1", _PICTURE.sub(lambda found: f'src="{_inlined(found[1])}"', body))
    return (
        f'<!doctype html><html lang="id"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{head}</h1><main>{body}</main></body></html>"
    )


def blocks_of(guide: str) -> list[str]:
    """Its headings, paragraphs and steps as text, in their order."""
    texts = (unescape(_TAG.sub("", text)) for _, text in _BLOCK.findall(_rendered(guide)))
    return [text for text in texts if text.strip()]


def pictures_of(guide: str) -> list[Path]:
    """The pictures that it shows."""
    return [FOLDER / found for found in _PICTURE.findall(_rendered(guide))]


def text_of(pdf: Path) -> str:
    """All text of a PDF, in the order in which it is painted."""
    done = subprocess.run(["pdftotext", "-raw", str(pdf), "-"], capture_output=True, check=True)
    return done.stdout.decode()


def print_all() -> None:
    """Print every guide to its PDF."""
    from tests.support.console import driven  # its Chromium is not needed to read a guide

    with driven() as browser:
        page = browser.new_page()
        for guide in GUIDES:
            page.set_content(html_of(guide), wait_until="load")
            made = page.pdf(prefer_css_page_size=True, print_background=True, tagged=True)
            (PRINTED / f"{guide}.pdf").write_bytes(made)


def _rendered(guide: str) -> str:
    return MarkdownIt().render((FOLDER / f"{guide}.md").read_text("utf-8"))


def _inlined(name: str) -> str:
    """A picture as a JPEG in a ``data:`` address: a PDF keeps it as small as it is."""
    with Image.open(FOLDER / name) as picture, io.BytesIO() as made:
        picture.convert("RGB").save(made, "JPEG", quality=82, optimize=True)
        return f"data:image/jpeg;base64,{base64.b64encode(made.getvalue()).decode()}"


if __name__ == "__main__":
    print_all()
