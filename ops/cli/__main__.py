"""``python -m ops.cli``: the command line without the console script."""

from ops.cli import main

if __name__ == "__main__":
    main()
