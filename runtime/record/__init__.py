"""The record: the Merkle log of everything that happened, its one writer, its checkpoints and its proofs."""
