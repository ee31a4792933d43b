"""The composition root: from settings to the database, the broker, the providers. Nobody else builds them."""
