"""The session with the only commit, statements, ids and encryption."""
