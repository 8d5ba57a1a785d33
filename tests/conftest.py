"""Fixtures every test may use, and how a run of them is shared out and written down."""

pytest_plugins = [
    "tests.support.workers",
    "tests.support.examples",
    "tests.support.hashing",
    "tests.support.outcome",
    "tests.support.order",
    "tests.support.servers",
]
