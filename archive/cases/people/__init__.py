"""People, their grants and their machines: who they are and what they may see, as ledger streams."""
