"""Months in a minute: the real rollout on a real record; clock, agent and people follow a script.

Nothing decides otherwise than in `serve`: gate, evidence, review gates, signatures and the clock's work are
the real ones. Not real are the time, the persons (their keys are made here), the agent's box and its
upstreams.
"""
