"""The SDK's failures as ours. Pure: it looks at names and status codes and imports no engine code."""

from sandboxes.errors import (
    BoxGoneError,
    EngineRefusedError,
    EngineUnavailableError,
    ImageMissingError,
    SandboxError,
)

FOUND, NOT_FOUND, CONFLICT = 200, 404, 409


def failure_from(
    what: str, status: int | None, explanation: str, *, about_image: bool = False
) -> SandboxError:
    """Choose the error to raise for one failed engine request.

    Args:
        what: what was tried, such as `create box`.
        status: the HTTP status, None when the engine did not answer at all.
        explanation: the engine's own words.
        about_image: a missing thing is then the image, else the box.
    """
    if status is None:
        return EngineUnavailableError(
            f"{what}: the container engine does not answer ({explanation}); is it running? try `docker info`"
        )
    if status == NOT_FOUND and about_image:
        known = "no such image" in explanation.lower()
        said = "the engine has no such image" if known else explanation
        return ImageMissingError(f"{what}: {said}; nothing is pulled, so build or import it first")
    if status == NOT_FOUND:
        return BoxGoneError(f"{what}: {explanation}")
    return EngineRefusedError(f"{what}: the engine answered {status}: {explanation}")
