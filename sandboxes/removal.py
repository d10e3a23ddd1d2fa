"""Removing a box for good, also when the engine does not answer just now."""

import logging
import time
from dataclasses import replace
from threading import Thread

from sandboxes.driver import Box, SandboxDriver
from sandboxes.errors import SandboxError

RETRY_S = 2.0
LOOKS = 30
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


def remove_if_made(driver: SandboxDriver, sought: Box, retry_s: float = RETRY_S, looks: int = LOOKS) -> None:
    """Return, and go on looking for a box that was asked for without an answer; remove it if it was made.

    An engine carries out what it was asked for also where nobody hears its answer any more, perhaps later.

    Args:
        driver: the engine that may have made the box.
        sought: the box with its labels, in which its expiry tells it from any other; its id is not known.
        retry_s: seconds between two looks.
        looks: how often an engine that answers is asked before the box counts as never made.
    """
    search = (driver, sought, retry_s, looks)
    Thread(target=_until_found, args=search, name="removal", daemon=True).start()


def _until_found(driver: SandboxDriver, sought: Box, retry_s: float, looks: int) -> None:
    while looks > 0:
        time.sleep(retry_s)
        try:
            boxes = driver.list_boxes(sought.owner)
        except SandboxError:
            continue
        looks -= 1
        for box in boxes:
            if replace(box, id=sought.id, image=sought.image) == sought:
                _LOG.warning(
                    "box %s was made, although the engine did not say so; it is removed", box.id[:12]
                )
                remove_surely(driver, box, retry_s)
                return


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
