"""`handrail doctor`: each check looks at one thing and says what to do next. It changes nothing.

`finding` is the word; `engine`, `rights`, `volumes`, `state`, `people` and `power` are the checks; `examine`
runs them.
"""
