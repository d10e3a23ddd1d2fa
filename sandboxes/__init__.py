"""The box and what can be seen from inside it: drivers, hardening, channel, attestation, context."""
