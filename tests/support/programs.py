"""What tests need of the machine: without it a test is skipped, or fails if ``CI`` is set."""

import os
import shutil
from typing import NoReturn

import pytest

from api.web.files import PLAYER, fetched


def lacking(sentence: str) -> NoReturn:
    """Skip the test with a sentence that says what is missing and how to get it; fail if ``CI`` is set.

    A run that tests nothing must not look like a pass.
    """
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def required(name: str, *, path: str | None = None) -> str:
    """The path of a program that serves as an independent witness; ``path`` is where to look for it."""
    found = shutil.which(name, path=path)
    if found is None:
        packages = "ffmpeg, openssl, jq, xxd, chromium, nginx-light, poppler-utils, zbar-tools, unzip"
        lacking(f"{name} is not installed; Debian has it in one of: {packages}, p7zip-full")
    return found


def nginx() -> str:
    """The path of nginx, which Debian keeps where only root looks."""
    return required("nginx", path="/usr/sbin:/usr/bin")


def need_player() -> None:
    """The pages' player has been fetched."""
    if not fetched(PLAYER).is_file():
        lacking("the pages' packages are not there; fetch them with: python -m ops.pages")
