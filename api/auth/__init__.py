"""Authentication and permissions: accounts, sessions, tokens, principals."""
