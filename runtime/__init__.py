"""The kernel: people, policy, grants, suggestions, approvals, runs, gateway, enforce, audit."""
