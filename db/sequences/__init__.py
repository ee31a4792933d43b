"""Sequences, their steps and people, as files and pages change them."""
