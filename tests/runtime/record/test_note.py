"""Signed notes and checkpoints, against the example that Go's sumdb/note package publishes."""

import base64

import pytest

from runtime.errors import NoteError
from runtime.record.checkpoint import open_checkpoint, parse_checkpoint, sign_checkpoint
from runtime.record.note import NoteSigner, NoteVerifier

# pkg.go.dev/golang.org/x/mod/sumdb/note
SIGNER_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
VERIFIER_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
NOTE = f"{TEXT}\n\u2014 PeterNeumann {SIGNATURE}\n"

SIGNER = NoteSigner("handrail/log-test", b"s" * 32)
ROOT = b"r" * 32


def test_the_published_keys_and_signature() -> None:
    signer = NoteSigner.parse(SIGNER_KEY)

    assert str(signer.verifier) == VERIFIER_KEY
    assert signer.private_text() == SIGNER_KEY
    assert signer.sign(TEXT) == NOTE
    assert NoteVerifier.parse(VERIFIER_KEY).open(NOTE) == TEXT


def test_a_note_with_a_second_signature_opens_by_either_key() -> None:
    line = SIGNER.sign(TEXT).rpartition("\n\n")[2]

    assert SIGNER.verifier.open(NOTE + line) == TEXT
    assert NoteVerifier.parse(VERIFIER_KEY).open(NOTE + line) == TEXT


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        NOTE.rstrip("\n"),
        NOTE.replace("answer", "Answer"),
        NOTE.replace("x08go/ZJ", "x08go/ZK"),
        NOTE.replace("x08go", "x18go"),
        NOTE.replace("\u2014 ", "- "),
        NOTE.replace("PeterNeumann ", "PeterNeumann !"),
        NOTE.replace("PeterNeumann", "Somebody"),
    ],
)
def test_a_changed_note_does_not_open(note: str) -> None:
    with pytest.raises(NoteError):
        NoteVerifier.parse(VERIFIER_KEY).open(note)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+",
        VERIFIER_KEY.replace("c74f20a3", "c74f20a4"),
        VERIFIER_KEY + "AA",
        "a b+0+AA",
    ],
)
def test_a_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        NoteVerifier.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", VERIFIER_KEY, SIGNER_KEY.replace("c74f20a3", "c74f20a4"), SIGNER_KEY[:-4], SIGNER_KEY + "AAAA"],
)
def test_a_malformed_signer_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        NoteSigner.parse(text)


def test_a_text_without_a_line_end_is_not_signed() -> None:
    with pytest.raises(NoteError, match="newline"):
        SIGNER.sign("text")


def test_a_checkpoint_has_the_three_lines_of_the_standard() -> None:
    checkpoint = sign_checkpoint(SIGNER, 7, ROOT)

    text = checkpoint.note.partition("\n\n")[0]
    assert text.split("\n") == ["handrail/log-test", "7", base64.b64encode(ROOT).decode()]
    assert open_checkpoint(SIGNER.verifier, checkpoint.note) == checkpoint


def test_a_checkpoint_of_another_log_does_not_open() -> None:
    other = NoteSigner("handrail/log-other", b"s" * 32)

    with pytest.raises(NoteError, match="log-other"):
        open_checkpoint(SIGNER.verifier, sign_checkpoint(other, 7, ROOT).note)


@pytest.mark.parametrize("size", ["-1", "07", "1.0", "", "\u0667", "9" * 5000])
def test_a_checkpoint_with_an_odd_size_is_refused(size: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(f"log\n{size}\n{base64.b64encode(ROOT).decode()}\n\n")


@pytest.mark.parametrize("root", ["", "AAAA", "not base64"])
def test_a_checkpoint_with_an_odd_root_is_refused(root: str) -> None:
    with pytest.raises(NoteError):
        parse_checkpoint(f"log\n1\n{root}\n\n")
