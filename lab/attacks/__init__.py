"""Attacks on a whole system, and what other users notice of them."""
