"""Passwords of tests are hashed as those of a city are, with the same function but far less of its work.

One hash takes 64 MiB and a tenth of a second of all processors, and many tests of pages and routes begin with
two or more. That the product hashes with all of the work is tested where this is undone
(``tests/unit/api/test_auth_secrets.py``). Processes that a test starts hash as the product does.
"""

from collections.abc import Iterator
from functools import partial

import pytest
from argon2 import PasswordHasher

CHEAP = partial(PasswordHasher, time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Hash cheaply in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("api.auth.passwords.PasswordHasher", CHEAP)
        yield
