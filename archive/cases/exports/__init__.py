"""Exports: clips of many cameras and hours, made in the background, kept for a day and then gone.

An export lives in the cache bucket only: its order, its states and its parts are objects there, and losing
them loses no record. What was ordered, made and fetched, by whom and why, is in the custody record.
"""
