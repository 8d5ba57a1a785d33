"""A finding: one thing in the archive that is not as promised."""

from dataclasses import dataclass, field

from archive.canonical import JsonObject


@dataclass(frozen=True, slots=True)
class Finding:
    """A stable code, the object's key, a sentence in English, and facts.

    Fixity, disposition and the verification of a disposition's record make them. An integrity incident takes
    the code of its finding.
    """

    code: str
    object: str
    message: str
    details: JsonObject = field(default_factory=dict)
