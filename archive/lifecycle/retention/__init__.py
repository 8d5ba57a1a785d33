"""Retention: policies, what they rule for one segment, plans of what would go, and locks that follow them."""
