"""Measurements: how fast we train, and how fast others do."""
