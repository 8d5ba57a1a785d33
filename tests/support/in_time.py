"""A promise of time is measured by a long form; the usual run, on a busy machine too, holds all the rest.

``make soak-times`` runs the long forms, one after another. Both forms are one test: it takes its bound as an
argument, and usually has all the time there is.
"""

import math
from collections.abc import Sequence

import pytest


def in_time(names: str, *bound: object, otherwise: Sequence[object] = (math.inf,)) -> pytest.MarkDecorator:
    """Run a test with its arguments ``names`` as ``otherwise``, and marked ``slow`` as ``bound``."""
    return pytest.mark.parametrize(
        names.split(", "),
        [
            pytest.param(*otherwise, id="at-last"),
            pytest.param(*bound, id="in-time", marks=pytest.mark.slow),
        ],
    )
