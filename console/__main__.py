"""`python -m console`: the same command as `handrail`, for a process that starts itself again."""

from console.main import main

main()
