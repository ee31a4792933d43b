"""Pages for members: signing in, their mailbox and permissions, their notices."""
