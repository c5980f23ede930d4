"""Flows, one a file."""
