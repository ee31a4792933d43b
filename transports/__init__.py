"""Mail providers: translate between our terms and theirs. They see no database session and raise only ``domain.errors``."""
