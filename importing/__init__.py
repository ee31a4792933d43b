"""Import real files and locate every problem: organization files (YAML), all or nothing, and people (CSV, Excel), row by row."""
