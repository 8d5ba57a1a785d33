"""The pages: their scripts and style, and the markup around them."""
