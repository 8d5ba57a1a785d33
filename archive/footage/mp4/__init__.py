"""ISO base media (ISO/IEC 14496-12, -15): read a segment's header, finalise what FFmpeg closed.

::

    boxes      where boxes lie, and how they are written
    samples    the sample table (trun)           track      the description of a track (moov)
    header     ftyp moov moof of a segment       extent     the part that can be shown without a hole
    fragments  FFmpeg's fragmented source        finalise   source -> segment, hashed and durable
    nal        NAL units inside samples          parameters the description after a change of picture
"""
