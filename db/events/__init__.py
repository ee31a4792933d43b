"""The outbox, events, and what follows from them: pauses, notices, webhooks."""
