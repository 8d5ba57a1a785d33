"""Records cameras: one FFmpeg per camera; its output becomes timed segments and explicit gaps.

Nothing here chooses a store, an index or a key: the caller passes all of them to :mod:`recorder.recorder`.
"""
