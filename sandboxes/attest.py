"""The proof that a box is what its specification says: three witnesses, asked before anything is released.

1. The engine: its inspect answer against the create arguments (`sandboxes.engine_checks`).
2. The host: /proc and control groups of the box's process (`sandboxes.host_checks`).
3. The inside: forbidden things are tried from within (`sandboxes.inside`, `sandboxes.inside_checks`).

An option that was asked for, accepted and shown may still not be applied; that is why there are three.
Any failed check, or a witness that cannot be heard, refuses the box.
"""

from pathlib import Path

from sandboxes.cgroups import read_limits
from sandboxes.docker_options import MASKED_PATHS, READONLY_PATHS
from sandboxes.driver import Box, SandboxDriver
from sandboxes.engine_checks import engine_checks
from sandboxes.errors import AttestationError
from sandboxes.host_checks import SEPARATE, HostEvidence, host_checks
from sandboxes.host_view import (
    PROC,
    BoxProcess,
    confirm_process,
    find_process,
    host_inodes,
    mounted,
    read_siblings,
    read_view,
)
from sandboxes.inside import end_helper, finish_helper, start_helper, try_by_shell
from sandboxes.inside_checks import inside_checks
from sandboxes.proof import Proof
from sandboxes.spec import BoxSpec, Runtime


def attest(driver: SandboxDriver, box: Box, spec: BoxSpec, proc: Path = PROC) -> Proof:
    """Prove that a running box is as its specification says.

    Args:
        driver: the engine that holds the box.
        box: running, and not yet released when it is gated.
        spec: what it was made from.
        proc: where the host's proc file system is mounted.

    Returns:
        The proof; none of its checks failed.

    Raises:
        AttestationError: at least one check failed; the error names each.
        BoxGoneError: the box ended, or its process number was reused meanwhile.
    """
    proof = examine(driver, box, spec, proc)
    if proof.failed:
        raise AttestationError(box.id, proof.failed)
    return proof


def examine(driver: SandboxDriver, box: Box, spec: BoxSpec, proc: Path = PROC) -> Proof:
    """Collect every check of a box without judging the whole; `attest` is what a launch calls."""
    helper = start_helper() if spec.runtime is not Runtime.RUNSC else None
    try:
        process = find_process(driver, box, proc)
        evidence = _evidence(spec, process, proc)
        asked = engine_checks(spec, box, driver.inspect(box).detail)
        if helper is None:
            tries = try_by_shell(driver, box)
        else:
            tries = finish_helper(helper, process, evidence.limits)
        confirm_process(driver, box, process, proc)
    finally:
        if helper is not None:
            end_helper(helper)
    checks = (*asked, *host_checks(spec, evidence), *inside_checks(spec, box, tries))
    return Proof(box_id=box.id, image=box.image, runtime=spec.runtime, checks=checks)


def _evidence(spec: BoxSpec, process: BoxProcess, proc: Path) -> HostEvidence:
    view = read_view(process, proc)
    limits = read_limits(view.cgroups, proc)
    procs = next((path for path in limits.procs_files if path.is_file()), None)
    return HostEvidence(
        view=view,
        limits=limits,
        host_namespaces={kind: host_inodes(kind, proc) for kind in SEPARATE},
        existing=frozenset(
            path for path in (*MASKED_PATHS, *READONLY_PATHS) if _on_host(path, proc).exists()
        ),
        siblings=read_siblings(procs, process, proc) if procs else (),
        mounted={mount.target: mounted(process, mount.target, proc) for mount in spec.mounts},
    )


def _on_host(path: str, proc: Path) -> Path:
    """Where the host shows what the box would see at a path below /proc or /sys."""
    return proc / path.removeprefix("/proc/") if path.startswith("/proc/") else Path(path)
