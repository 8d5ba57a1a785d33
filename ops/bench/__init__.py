"""``make bench``: measures the main jobs beside the programs people use today, in one run on one machine.

A figure alone says more about the machine than about the program. So each figure is shown beside the same
work done by plain FFmpeg, MediaMTX, boto3 or hashlib in the same run. ``docs/benchmarks.md`` is written from
the results, including missed targets.
"""
