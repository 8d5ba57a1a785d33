"""The texts of the pages: one catalogue per language, Indonesian first and English second.

A key is ``table.name``. The texts of one subject are in ``words/id/SUBJECT.toml`` and in
``words/en/SUBJECT.toml``. Both catalogues have the same keys, and a text of one key fills in the same values
in both. Texts are plain: templates and scripts insert them as text, never as markup.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

FIRST = "id"
"""The language of readers who have chosen none."""

LANGUAGES = (FIRST, "en")
_FOLDER = Path(__file__).resolve().parent / "words"
_VALUE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The texts of one language."""

    language: str
    texts: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """The text of a key, with ``{name}`` filled in.

        Raises:
            KeyError: there is no such key, or a value of the text is not given.
        """
        return _VALUE.sub(lambda found: str(values[found[1]]), self.texts[key])

    def has(self, key: str) -> bool:
        """Whether there is a text of this key."""
        return key in self.texts

    def script(self) -> bytes:
        """The catalogue as a module for ``words.js``."""
        # JSON is JavaScript; the escapes keep it so wherever it might be copied to.
        written = json.dumps(dict(self.texts), ensure_ascii=False).replace("<", "\\u003c")
        return f"export default {written};\n".encode()


def load(folder: Path = _FOLDER) -> Mapping[str, Catalogue]:
    """The catalogues by language.

    Raises:
        ValueError: the languages do not have the same keys, or the same values in a text.
    """
    found = {language: Catalogue(language, _texts(folder / language)) for language in LANGUAGES}
    first = found[FIRST].texts
    for language, one in found.items():
        if odd := first.keys() ^ one.texts.keys():
            raise ValueError(f"not in every language: {', '.join(sorted(odd))} (seen in {language})")
        for key, text in one.texts.items():
            if set(_VALUE.findall(text)) != set(_VALUE.findall(first[key])):
                raise ValueError(f"{key}: the languages fill in different values")
    return MappingProxyType(found)


def _texts(folder: Path) -> Mapping[str, str]:
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*.toml")):
        for table, part in tomllib.loads(path.read_text("utf-8")).items():
            for name, text in part.items():
                key = f"{table}.{name}"
                if not isinstance(text, str):
                    raise ValueError(f"{path.name}: {key} is no text")
                if key in texts:
                    raise ValueError(f"{path.name}: {key} is in another file too")
                texts[key] = text
    return MappingProxyType(texts)
