"""Listening: when mailboxes are read, what an incoming email may be about, what is recorded, and what follows."""
