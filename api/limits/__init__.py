"""What a request may cost: who it comes from, how it may look, and how many may come."""
