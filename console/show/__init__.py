"""What people see: plain text that fits 100 columns, colour on a terminal only, all agent text escaped."""
