"""The only place with SQLAlchemy: tables, the one commit, and the statements that move rows."""
