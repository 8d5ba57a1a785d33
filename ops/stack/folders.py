"""Folders that other accounts can enter, whatever the creator's umask."""

from pathlib import Path

from archive.errors import Unavailable


def make(folder: Path) -> None:
    """Make a folder and its missing parents, all of them readable for every account.

    Raises ``Unavailable`` (``stack_folder_unwritable``).
    """
    try:
        missing = [step for step in (folder, *folder.parents) if not step.exists()]
        for step in reversed(missing):
            step.mkdir(exist_ok=True)
            step.chmod(0o755)
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(place: Path, error: OSError) -> Unavailable:
    """Return the error for a file or folder of the stack that the present user cannot use."""
    return Unavailable(
        f"{place} cannot be used: {error.strerror}",
        code="stack_folder_unwritable",
        hint="use the stack as the user who started it, or set SAKSI_STACK_DIR and SAKSI_STACK_CACHE",
    )
