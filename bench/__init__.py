"""Measurements: each prints a table of its own, `python -m bench.NAME`."""
