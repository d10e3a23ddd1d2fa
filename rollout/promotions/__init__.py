"""Promotions: requests for one more effect class, decided by signed words over frozen evidence."""
