"""QR codes as rows of modules, the same ones on paper and on a screen.

Error correction M survives a folded or stained sheet. A code is drawn with a quiet zone of :data:`QUIET`
modules on every side; without it, readers do not find it.
"""

from collections.abc import Sequence

import segno

QUIET = 4
"""Light modules around a code."""


def modules(text: str) -> Sequence[Sequence[int]]:
    """The code of a text: its rows from the top, 1 for a dark module and 0 for a light one."""
    made = segno.make(text, error="m", micro=False, boost_error=False)
    return [list(row) for row in made.matrix]


def rows(text: str) -> list[str]:
    """The code as rows of the digits 0 and 1, to be drawn elsewhere."""
    return ["".join(str(module) for module in row) for row in modules(text)]
