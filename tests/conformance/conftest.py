"""Fixtures of the conformance suites: an index of each kind."""

from tests.support.indexes import index, under_test

__all__ = ["index", "under_test"]
