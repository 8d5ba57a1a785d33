"""``make bench``: the main jobs measured beside the programs people use today, in one run on one machine.

A figure without its peer says more about the machine than about the program, so every one stands beside the
same work done by plain FFmpeg, MediaMTX, boto3 or hashlib in the same run. ``docs/benchmarks.md`` is written
from what was found, targets that were missed included.
"""
