"""Grants, sessions and API keys."""
