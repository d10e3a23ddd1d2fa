"""The gate: what is decided about every single action, and what is kept of the decision.

`answers` and `actions` are the words, `checks` the pure questions, `decide` joins them,
`enforce` reads the state, writes the record and lets the effect happen between intent and outcome.
"""
