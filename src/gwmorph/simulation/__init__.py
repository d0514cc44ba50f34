"""Simulated detector noise and transients, written as GWOSC files."""
