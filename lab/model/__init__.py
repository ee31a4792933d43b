"""The protocol of one delivery, explored exhaustively."""
