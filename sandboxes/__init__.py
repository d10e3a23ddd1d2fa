"""The box and what can be seen from inside it: drivers, hardening, channel, attestation, context.

The map of this room, pure modules first:

- `errors`: the failures callers can tell apart, all below `SandboxError`.
- `spec`: what a box is made of (`BoxSpec`, `BoxLimits`), without any word about tier, run or agent.
- `context`: the one place where an agent's environment, command and task come from (`visible_context`).
- `gate_script`: the script that releases a box waiting behind its stdin gate.
- `docker_options`, `seccomp.json`: a `BoxSpec` as the engine's create arguments.
- `outcome`: how a box ended, as a named outcome.
- `driver`: the protocol every engine driver implements (`SandboxDriver`), and its values.
- `docker_driver`: the only module that talks to the engine. `stdio` speaks with a boxed upstream.
- `channel`: listeners inside the box's network namespace, the only way out.
- `attest`: the proof that a box is what its spec says, from the engine, the host and the inside.
- `reaper`: ends boxes past their expiry, also when `serve` is gone.
"""
