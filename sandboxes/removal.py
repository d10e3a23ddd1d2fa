"""Removing a box for good, also when the engine does not answer just now."""

import logging
import time
from threading import Thread

from sandboxes.driver import Box, SandboxDriver
from sandboxes.errors import SandboxError

RETRY_S = 2.0
_LOG = logging.getLogger(__name__)


def remove_surely(driver: SandboxDriver, box: Box, retry_s: float = RETRY_S) -> None:
    """Remove a box at once; where the engine cannot, return and go on trying until it can.

    A box whose run has ended must not stay because its engine was away at that moment. Whatever is left when
    this process ends is removed by the next one on the same state directory.

    Args:
        driver: the engine that holds the box.
        box: nobody needs it any more.
        retry_s: seconds between two tries.
    """
    try:
        driver.remove(box)
    except SandboxError as error:
        _LOG.warning("%s; tried again until it is removed", error)
        Thread(target=_until_removed, args=(driver, box, retry_s), name="removal", daemon=True).start()


def _until_removed(driver: SandboxDriver, box: Box, retry_s: float) -> None:
    while not _removed(driver, box):
        time.sleep(retry_s)


def _removed(driver: SandboxDriver, box: Box) -> bool:
    try:
        driver.remove(box)
    except SandboxError:
        return False
    _LOG.warning("box %s is removed now", box.id[:12])
    return True
