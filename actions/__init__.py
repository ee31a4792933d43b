"""What people do: withdraw, resume, give permission, connect, settle. Called by the command line and the web; never by actors."""
