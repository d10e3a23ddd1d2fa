"""Deviations: alerts that people must look at within a day, and incidents that a leader must acknowledge."""
