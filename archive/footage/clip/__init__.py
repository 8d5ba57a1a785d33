"""Exact clips: a virtual MP4 over stored segments, the same bytes for the same request."""
