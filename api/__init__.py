"""The face: HTTP and nothing else."""
