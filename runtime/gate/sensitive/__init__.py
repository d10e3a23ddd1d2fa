"""Sensitive data: the rule pack, the decoding before it and the validators behind it."""
