"""``saksi``, or ``python -m ops``: where the command begins.

A worker process imports the module that its parent was started from, so this one imports the command tree,
and with it most of the product, only when it is called.
"""


def main() -> None:
    """Run the command line and exit with its code."""
    from ops.heap import undisturbed

    with undisturbed():
        from ops.cli import main as command

    command()


if __name__ == "__main__":
    main()
