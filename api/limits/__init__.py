"""Limits on requests: the client's address, the shape of a request, and the rates."""
