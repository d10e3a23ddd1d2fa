"""What is signed is what was shown: digests are computed on this side."""

from console.errors import IntegrityError


def check_digest(claimed: str, computed: str, what: str) -> None:
    """Refuse to go on where the control plane's digest is not the one of what was shown.

    Raises:
        IntegrityError: they differ.
    """
    if claimed != computed:
        raise IntegrityError(
            f"{what} is not what the control plane says it is",
            got=f"digest {claimed[:16]}",
            expected=computed[:16],
            next_step="sign nothing; run handrail audit verify",
        )
