"""Texts and examples of ``/openapi.json`` that cannot be derived from types."""
