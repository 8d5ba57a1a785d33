"""Programs that serve as independent witnesses: without one, a test is skipped, or fails if ``CI`` is set."""

import os
import shutil

import pytest


def required(name: str) -> str:
    """The program's path."""
    found = shutil.which(name)
    if found is None:
        packages = "ffmpeg, openssl, jq, xxd, chromium, poppler-utils, zbar-tools, unzip, p7zip-full"
        sentence = f"{name} is not installed; Debian has it in one of: {packages}"
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found
