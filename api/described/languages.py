"""Texts for people in both languages: Indonesian first, English second, separated by ``" / "``.

``indonesian.toml`` has the Indonesian sentence and hint of every error code of the product. The English
sentence comes from the place that raises the error, and names the values.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

BETWEEN = " / "


@cache
def indonesian() -> Mapping[str, tuple[str, str]]:
    """The Indonesian sentence and hint of each error code; the hint is "" where nothing can be done."""
    text = (files("api.described") / "indonesian.toml").read_text("utf-8")
    return {code: (said[0], said[1]) for code, said in tomllib.loads(text).items()}


def in_both(first: str, second: str) -> str:
    """A text in Indonesian and in English; one that has both languages already is not changed."""
    if not second or not first or BETWEEN in second:
        return second
    return f"{first}{BETWEEN}{second}"


def in_languages(code: str, sentence: str, hint: str) -> tuple[str, str]:
    """The sentence and the hint of an error in both languages."""
    first, what_to_do = indonesian().get(code, ("", ""))
    return in_both(first, sentence), in_both(what_to_do, hint)


_OF_FIELDS: Mapping[str, str] = {
    "missing": "Isian ini wajib.",
    "extra_forbidden": "Isian ini tidak dikenal.",
    "json_invalid": "JSON ini tidak sah.",
    "json_type": "JSON ini tidak sah.",
    "string_too_long": "Terlalu panjang.",
    "string_too_short": "Terlalu pendek.",
    "string_type": "Isian ini harus berupa teks.",
    "string_pattern_mismatch": "Bentuk isian ini tidak benar.",
    "int_type": "Isian ini harus berupa bilangan bulat.",
    "int_parsing": "Isian ini harus berupa bilangan bulat.",
    "float_type": "Isian ini harus berupa bilangan.",
    "float_parsing": "Isian ini harus berupa bilangan.",
    "bool_type": "Isian ini harus true atau false.",
    "bool_parsing": "Isian ini harus true atau false.",
    "list_type": "Isian ini harus berupa daftar.",
    "too_long": "Terlalu banyak.",
    "too_short": "Terlalu sedikit.",
    "enum": "Nilai ini bukan salah satu pilihan.",
    "literal_error": "Nilai ini bukan salah satu pilihan.",
    "greater_than": "Nilai ini terlalu kecil.",
    "greater_than_equal": "Nilai ini terlalu kecil.",
    "less_than": "Nilai ini terlalu besar.",
    "less_than_equal": "Nilai ini terlalu besar.",
}
"""What is wrong with one field, by pydantic's name for it."""


def of_field(kind: str, message: str) -> str:
    """What is wrong with one field of a request, in both languages."""
    return in_both(_OF_FIELDS.get(kind, "Isian ini tidak sah."), message)
