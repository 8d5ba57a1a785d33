"""JSON in and out: pydantic models for the API description, plain functions for the answers."""
