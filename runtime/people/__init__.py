"""People: who may speak, how it is proved that they did, and the policy that says so.

Invariants of this package:
- What counts is a signature over bytes, never a row. A row that no signature supports gives nobody anything.
- One person, one voice, however many keys, accounts or tries.
- A statement speaks about one thing in one installation, and is used once.
- The policy is a chain from a pinned root; each version is signed by persons who could change the one before.
- A revoked key never counts again.

Pure: `sshkeys` and `sshsig` (formats), `statement` (what is signed), `roster` (who counts), `quorum` (how
many), `chain` (which policy versions hold), `edit` (a person added to a policy's text).
Reading and writing: `signing` (calls `ssh-keygen`), `statements` (what was said), `pin` and `policies` (the
current policy), `changes` (new versions), `revocation` (dead keys).
"""
