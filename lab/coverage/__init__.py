"""Which test shows which behaviour."""
