"""Real input: world files (YAML) and candidates (CSV), all of a file or nothing, with every problem named by its place."""
