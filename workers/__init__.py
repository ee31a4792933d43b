"""Dramatiq actors, one per file: load, decide, act, record. ``workers/main.py`` lists them all."""
