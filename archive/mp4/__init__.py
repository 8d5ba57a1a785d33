"""ISO base media files (ISO/IEC 14496-12): read a segment header, finalise a closed file."""
