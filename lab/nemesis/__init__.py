"""Random trouble for a whole system, and a judge."""
