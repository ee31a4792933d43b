"""What an incoming email is, whose it is, and why: tables and pure functions, the same for every provider."""
