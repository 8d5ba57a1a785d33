"""Makes segments: one FFmpeg per camera, what it writes cut and timed into segments and explicit gaps.

Nothing here knows which store, index or key it works with: :mod:`recorder.recorder` is handed all of them.
"""
