"""What goes wrong with keys, policies and changes when a file or the caller is at fault.

A statement that proves nothing is no exception: it is the answer `Refused`, with its reason.
"""

from runtime.errors import KernelError


class PeopleError(KernelError):
    """The base of all errors of this package."""


class KeyFormatError(PeopleError):
    """Bytes or text that should be a key or a signature are not."""


class SigningError(PeopleError):
    """`ssh-keygen` could not sign."""


class PolicyChainError(PeopleError):
    """The policy versions in the database are not those that were signed; nobody may decide anything."""


class ChangeError(PeopleError):
    """A change of the policy cannot be made as asked; the message says what to do instead."""
