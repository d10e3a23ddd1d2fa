"""`python -m console`: the same command as `handrail`, for a process that starts itself again."""

from console.entry import main

main()
