"""A bar for what takes long; on a terminal only, and on the error stream, so that answers stay clean."""

import sys
import time
from importlib import import_module
from types import TracebackType
from typing import Any, Self

_PATIENCE_SECONDS = 0.5


class Progress:
    """Shows a bar once something has taken half a second; nothing at all without a terminal."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._bar: Any = None
        self._task: Any = None
        self._since = time.monotonic()

    def tell(self, done: int, total: int) -> None:
        """Say how far it is."""
        if self._bar is None and time.monotonic() - self._since > _PATIENCE_SECONDS and sys.stderr.isatty():
            self._begin()
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _begin(self) -> None:
        """Rich is imported only here: commands whose answer is quick never pay for it."""
        shown = import_module("rich.progress")
        console = import_module("rich.console").Console(stderr=True)
        columns = (*shown.Progress.get_default_columns(), shown.MofNCompleteColumn())
        self._bar = shown.Progress(*columns, console=console, transient=True)
        self._task = self._bar.add_task(self._title, total=None)
        self._bar.start()
