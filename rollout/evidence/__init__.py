"""Evidence: what people judged, what was observed, and everything else that a review gate looks at."""
