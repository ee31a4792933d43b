"""Real input, with every problem named by its place: organization files (YAML), all or nothing, and people (CSV, Excel), row by row."""
