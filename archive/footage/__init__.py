"""Footage: segments, from a closed file to a clip.

``ingest`` archives a closed segment and ``reader`` reads it back; ``mp4`` reads and writes the boxes,
``clip`` cuts exact spans, ``derive`` and ``confinement`` run a decoder on camera bytes. ``cameras``,
``places`` and ``sources`` say where footage comes from.

May import ``records`` and the rooms before it. Keeps I1 and I6.
"""
