"""Who may move up, when, on whose word; the scheduler."""
