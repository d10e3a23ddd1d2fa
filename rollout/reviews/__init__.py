"""Reviews: what is owed by when, the packet that a review job prints, and its closing."""
