"""The permission language: schema, ladder, loading, compiling to Cedar; the shipped profiles."""
