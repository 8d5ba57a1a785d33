"""People, their grants and their machines: who they are and what was opened to them, as ledger streams."""
