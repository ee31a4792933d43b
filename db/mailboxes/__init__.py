"""Mailboxes, their credentials and servers, and sender addresses."""
