"""What people do: withdraw, resume, give permission, connect, settle. The command line and web call it; actors never do."""
