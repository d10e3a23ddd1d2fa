"""Runs: one launch of one deployment, from the request to the named ending.

`states` are the words, `store` the rows and entries, `launch` the sequence up to the release,
`lifecycle` what happens afterwards: watching, stopping, recovering after a restart.
"""
