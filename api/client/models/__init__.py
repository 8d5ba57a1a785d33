"""The shapes of JSON bodies, by part of the API."""
