"""What the entries of the record say of every other row; `check` holds the rows against it."""
