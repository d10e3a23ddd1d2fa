"""The questions asked about every action, one module each: `(reading, facts) -> Verdict`. All are pure.

A check answers only its own question. None of them can make another one's answer milder.
"""
