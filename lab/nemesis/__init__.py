"""Random trouble against a whole system, judged."""
