"""The protocol of one delivery, walked exhaustively."""
