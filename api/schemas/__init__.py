"""JSON as it goes in and out: pydantic models for the description, plain functions for the answers."""
