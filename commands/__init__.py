"""The operator's commands, one module per topic. ``cli.py`` puts them together."""
