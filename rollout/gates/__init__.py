"""Review gates: the conditions for a promotion. Pure functions over evidence."""
