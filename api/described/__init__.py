"""The words and examples of ``/openapi.json``: what the code's own types cannot say."""
