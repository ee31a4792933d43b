"""The web process: pages for members, the JSON API, Microsoft's notifications and health checks."""
