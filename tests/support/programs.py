"""Programs that bear independent witness: absent, a test is skipped; where ``CI`` is set, it fails."""

import os
import shutil

import pytest


def required(name: str) -> str:
    """The program's path."""
    found = shutil.which(name)
    if found is None:
        sentence = f"{name} is not installed; Debian has it: ffmpeg, openssl, jq, xxd, chromium"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found
