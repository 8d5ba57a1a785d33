"""What is wrong with how a page looks: what axe finds, what is too wide or too small, and words that are none.

A page is judged as it stands, by what a reader sees of it: text that is hidden, in a field or marked as code
is not judged.
"""

from collections.abc import Collection
from typing import Any

from playwright.sync_api import Page, expect

from api.web.catalogue import FIRST, load
from tests.support.console import PHONE, barriers

SMALLEST, SMALLEST_ON_A_PHONE = 24, 44
"""The sides of what is pressed, in CSS pixels."""

_FAULTS = r"""({ smallest, cameras, tables }) => {
  const found = [];
  const page = document.documentElement;
  const seen = (node) => node.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
  const tale = (node) => `${node.tagName.toLowerCase()}${node.id && "#" + node.id}.${[...node.classList].join(".")}`;

  // Nothing is wider than the window.
  if (page.scrollWidth > innerWidth) {
    const wide = [...document.body.querySelectorAll("*")].filter(
      (node) => node.getBoundingClientRect().right > innerWidth + 1 && seen(node));
    found.push(`too wide: ${page.scrollWidth} of ${innerWidth}: ${wide.slice(0, 4).map(tale).join(", ")}`);
  }

  // No raw code, no missing word.
  const id = cameras.join("|");
  const bad = [
    ["a district's code", /\b\d\d\.\d\d\.\d\d(\.\d{4})?\b/],
    ["a name of the code", /(^|[^\w./-])[a-z]+_[a-z_]+\b(?![.\/])/],
    ["not a word", /\b(undefined|null|NaN|Infinity|Invalid Date)\b|\[object/],
    ["a key of a word", new RegExp(`(^|\\s)(${tables.join("|")})\\.[a-z_]`)],
    ["a camera's id alone", new RegExp(`^\\s*(${id})\\s*$`)],
    ["a number alone as a name", /^\s*((REQ|EVD)-\d{4}-\w{10}|(hold|dsp|inc|exp|GRT)-[0-9a-f]{16,})\s*$/],
  ];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const within = node.parentElement;
    const text = node.textContent.trim();
    if (!text || !seen(within) || within.closest("code, pre, textarea, script, style, noscript, option, .code")) continue;
    for (const [what, pattern] of bad) {
      // What has a label beside it is not alone: a fact's number, such as "Nomor".
      if (what.endsWith("alone") || what.includes(" alone ")) {
        if (within.closest("dd")) continue;
        if (within.parentElement.textContent.trim() !== text && !within.closest("a, h1, h2, h3")) continue;
      }
      if (pattern.test(text)) found.push(`${what}: ${JSON.stringify(text.slice(0, 90))} in ${tale(within)}`);
    }
  }

  // What is pressed is large enough; a link in the middle of a sentence is as high as its line.
  const pressed = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=tab]";
  for (const node of document.querySelectorAll(pressed)) {
    if (!seen(node) || node.disabled || node.closest(".leaflet-attribution-flag, .leaflet-control-attribution")) continue;
    const label = node.matches("[type=checkbox], [type=radio], [type=file]") && (node.closest("label") ?? node.labels?.[0]);
    const boxes = [node, label].filter(Boolean).map((one) => one.getBoundingClientRect());
    if (boxes[0].width <= 1 && boxes[0].height <= 1 && !label) continue; // for screen readers only
    const inText = node.tagName === "A" && getComputedStyle(node).display === "inline" &&
      node.parentElement.textContent.trim().length > node.textContent.trim().length;
    const width = Math.max(...boxes.map((box) => box.width)), height = Math.max(...boxes.map((box) => box.height));
    if (!inText && Math.min(width, height) < smallest - 0.5) {
      found.push(`small: ${Math.round(width)}x${Math.round(height)} ${tale(node)} ${JSON.stringify(node.textContent.trim().slice(0, 40))}`);
    }
  }

  // The title says the thing, and the page has one heading.
  const heads = [...document.querySelectorAll("h1")].filter(seen);
  if (heads.length !== 1 || !heads[0].textContent.trim()) found.push(`h1: ${heads.length}`);
  const [first, ...rest] = document.title.split(" · ");
  if (!first.trim() || first === "Saksi" || !rest.length || /^[\w-]*\d{4,}[\w-]*$/.test(first)) {
    found.push(`title: ${document.title}`);
  }
  return found;
}"""


def settled(page: Page) -> None:
    """Wait until the page shows what it has."""
    page.wait_for_load_state("networkidle")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def faults(page: Page, cameras: Collection[str], size: tuple[int, int]) -> list[str]:
    """Everything that is wrong with the look of a page as it stands; ``cameras`` are ids that have names."""
    tables = {key.partition(".")[0] for key in load()[FIRST].texts}
    asked: dict[str, Any] = {
        "smallest": SMALLEST_ON_A_PHONE if size == PHONE else SMALLEST,
        "cameras": sorted(cameras),
        "tables": sorted(tables),
    }
    found: list[str] = page.evaluate(_FAULTS, asked)
    return found + barriers(page)
