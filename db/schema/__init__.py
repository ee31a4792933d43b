"""The tables, their migration, and each role's rights."""
