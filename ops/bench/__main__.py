"""``python -m ops.bench``: see :mod:`ops.bench.command`, which worker processes do not import again."""

import sys


def main() -> int:
    """Measure; returns the exit code."""
    from ops.bench.command import main as command

    return command()


if __name__ == "__main__":
    sys.exit(main())
