"""A process that reads journal batches for :mod:`archive.integrity.rebuild.decoding`."""

import signal
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive.integrity.rebuild.decoding import Keys, decode_batches, read_frame, write_frame


def main() -> None:
    """Answer frames of batches until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process decides when to end
    source, target = sys.stdin.buffer, sys.stdout.buffer
    raw: Keys = read_frame(source) or {}
    known = {
        recorder: {name: Ed25519PublicKey.from_public_bytes(key) for name, key in found.items()}
        for recorder, found in raw.items()
    }
    while (batches := read_frame(source)) is not None:
        try:
            write_frame(target, [tuple(one) for one in decode_batches(batches, known)])
        except BrokenPipeError:
            return


if __name__ == "__main__":
    main()
