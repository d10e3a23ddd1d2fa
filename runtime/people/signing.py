"""Signing by a person: `ssh-keygen` does it, so ssh-agent, passphrases and hardware keys all work.

No private key of a person is ever read by this program.
"""

import subprocess
from pathlib import Path

from runtime.people.errors import SigningError
from runtime.people.sshsig import NAMESPACE


def sign_with_ssh_keygen(key_path: Path, message: bytes) -> str:
    """Return the armored signature of `message` by the key at `key_path`.

    `ssh-keygen` asks for a passphrase or a touch on the terminal itself; its messages go to stderr unchanged.

    Args:
        key_path: the private key, or the `.pub` file of a key that ssh-agent or a hardware token holds.
        message: the exact bytes to sign.

    Raises:
        SigningError: if `ssh-keygen` is missing or refuses.
    """
    command = ["ssh-keygen", "-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key_path)]
    try:
        done = subprocess.run(command, input=message, stdout=subprocess.PIPE, check=False)
    except FileNotFoundError as error:
        raise SigningError("`ssh-keygen` is not on the PATH: install the OpenSSH client") from error
    if done.returncode != 0:
        raise SigningError(
            f"ssh-keygen cannot sign with `{key_path}`: exit code {done.returncode}, its message is above. "
            "Give the private key, or the .pub file of a key that `ssh-add -l` lists"
        )
    return done.stdout.decode("ascii")
