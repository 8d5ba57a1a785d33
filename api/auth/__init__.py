"""Who asks: tokens, the gate, principals."""
