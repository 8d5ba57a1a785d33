"""Makes the golden package of this folder: ``python -m tests.vectors.evidence_2_slices.make FOLDER``.

It is about two of a recorder's five cameras: its journal batches have version 2 and are enclosed as slices.
A verifier must accept it for ever.
"""

import json
import sys
import tempfile
from pathlib import Path

from tests.support.insider import sliced_site
from tests.vectors.evidence_2.make import write

NAME = "two-of-five"


def make(out: Path) -> None:
    """Write the ZIP, its root and ``expected.json`` into ``out``."""
    with tempfile.TemporaryDirectory() as folder:
        expected = write(sliced_site(Path(folder)).world, out, NAME)
    (out / "expected.json").write_text(json.dumps({NAME: expected}, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    make(Path(sys.argv[1]))
