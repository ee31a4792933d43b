"""Read-only: what pages, commands and the API show."""
