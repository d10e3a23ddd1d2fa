"""What a deployment would show its agent, looked through before anything is started (R-19, R-20).

- `finding`: what was found, where, and how to mend it.
- `names`: names of variables and labels that tell a status.
- `paths`, `contents`: files that tell one, by their path and by what stands in them.
- `texts`: settings and words for the agent, read by the rules of the scrubber.
- `tree`: an image's files out of the engine's tar stream; `image`: the whole of an image.
- `shown`: command line, model alias, task, and what tools say of themselves.
"""
