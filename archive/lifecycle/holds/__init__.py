"""Legal holds: placing them, releasing them, and setting the store's own flags to match."""
