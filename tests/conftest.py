"""Fixtures every test may use; servers come from ``tests.support.servers``."""

pytest_plugins = ["tests.support.servers"]
