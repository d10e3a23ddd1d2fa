"""Changes to the create arguments of a box, as an engine that dropped or added an option would make them."""

from collections.abc import Callable
from typing import Any

Arguments = dict[str, Any]


def walls(**changes: Any) -> Callable[[Arguments], Arguments]:
    """Change parts of HostConfig; None takes the option away."""

    def alter(arguments: Arguments) -> Arguments:
        host = {
            name: value for name, value in (arguments["HostConfig"] | changes).items() if value is not None
        }
        return arguments | {"HostConfig": host}

    return alter


def config(**changes: Any) -> Callable[[Arguments], Arguments]:
    """Change parts beside HostConfig; None takes the option away."""

    def alter(arguments: Arguments) -> Arguments:
        return {name: value for name, value in (arguments | changes).items() if value is not None}

    return alter


def security(*options: str) -> Callable[[Arguments], Arguments]:
    """Keep only those security options that start so, plus any given whole."""

    def alter(arguments: Arguments) -> Arguments:
        asked = arguments["HostConfig"]["SecurityOpt"]
        kept = [item for item in asked if item.startswith(options)]
        added = [item for item in options if item.endswith("unconfined")]
        return walls(SecurityOpt=kept + added)(arguments)

    return alter


def both(*alters: Callable[[Arguments], Arguments]) -> Callable[[Arguments], Arguments]:
    """One change after the other."""

    def alter(arguments: Arguments) -> Arguments:
        for one in alters:
            arguments = one(arguments)
        return arguments

    return alter
