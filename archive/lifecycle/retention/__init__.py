"""Retention: policies, their rulings for one segment, plans of what would go, and locks that follow them."""
