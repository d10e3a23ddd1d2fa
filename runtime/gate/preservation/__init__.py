"""Self-preservation: the rule pack that knows what an agent does to what keeps it."""
