"""Measured beside bare loops."""
