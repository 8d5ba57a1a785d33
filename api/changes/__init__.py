"""Telling readers which of their lists changed, so that a page reads it at once and not by the clock."""
