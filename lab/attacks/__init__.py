"""Attackers against a whole system, and what others notice."""
