"""The only package that uses SQLAlchemy: tables, the one commit, and the statements that change rows."""
