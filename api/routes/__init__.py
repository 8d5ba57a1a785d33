"""One module for each resource: its routes and what they do."""
