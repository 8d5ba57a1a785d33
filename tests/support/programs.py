"""Programs that bear independent witness: absent, a test is skipped; where ``CI`` is set, it fails."""

import os
import shutil

import pytest


def required(name: str) -> str:
    """The program's path."""
    found = shutil.which(name)
    if found is None:
        packages = "ffmpeg, openssl, jq, xxd, chromium, poppler-utils, zbar-tools"
        sentence = f"{name} is not installed; Debian has it in one of: {packages}"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found
