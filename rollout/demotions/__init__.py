"""Demotion by machine: what takes power away by itself, beyond what one action shows to the kernel."""
