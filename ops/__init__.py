"""Runs the system: command line, settings, wiring, jobs, the real servers, provisioning, benchmarks."""
