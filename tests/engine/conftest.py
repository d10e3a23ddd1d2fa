"""Fixtures for tests with real boxes."""

from tests.standins.boxes import base_image, box_images, boxes, runtime
from tests.standins.office import founded, office

__all__ = ["base_image", "box_images", "boxes", "founded", "office", "runtime"]
