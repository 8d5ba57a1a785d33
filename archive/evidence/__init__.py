"""Evidence packages: bag, manifest, seal, timestamp and offline verification."""
