"""Cameras as tables: CSV and GeoJSON, out and in, with a plan before anything is written."""
