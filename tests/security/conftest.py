"""Fixtures for tests with real boxes."""

from tests.standins.boxes import base_image, box_images, boxes, runtime

__all__ = ["base_image", "box_images", "boxes", "runtime"]
