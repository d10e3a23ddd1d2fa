"""The one source of time, ids and randomness."""

import os
from base64 import b32decode
from concurrent.futures import ThreadPoolExecutor

from runtime.clock import new_id, random_bytes


def test_bytes_are_given_out_once_by_however_many_threads() -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: random_bytes(16), range(20_000)))

    assert len(set(found)) == len(found)
    assert {len(one) for one in found} == {16}
    assert len(random_bytes(10_000)) == 10_000


def test_a_forked_process_does_not_repeat_its_parents_bytes() -> None:
    random_bytes(1)
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, random_bytes(32))
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 32) != random_bytes(32)

    os.close(reading)
    os.close(writing)


def test_an_id_says_what_it_names() -> None:
    assert new_id("run").startswith("run-")
    assert len(new_id("run")) == len("run-") + 16


def test_an_id_is_base32_of_80_bits() -> None:
    found = {new_id("act") for _ in range(1_000)}

    assert len(found) == 1_000
    assert {len(b32decode(one.removeprefix("act-").upper())) for one in found} == {10}
    assert set("".join(found)) == {*"act-", *"abcdefghijklmnopqrstuvwxyz234567"}
