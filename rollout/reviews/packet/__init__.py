"""The packet of a review: everything a person needs to close it, as one frozen value and four renderings."""
