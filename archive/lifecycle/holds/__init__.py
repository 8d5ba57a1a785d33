"""Legal holds: placing and releasing them, and carrying them to the store's own flags."""
