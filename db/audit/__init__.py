"""The audit trail: entries, chains, heads, retention."""
