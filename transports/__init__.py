"""Mail providers: translate between our words and theirs. Never see a session, raise only ``domain.errors``."""
