"""The errors of the runtime room. Each says what was got, what was expected and the next step."""


class KernelError(Exception):
    """Any failure that the runtime reports about itself; the base of this room's errors."""


class SettingsError(KernelError):
    """A setting is missing, unknown or has a value that cannot be used."""


class CanonicalError(KernelError):
    """A value has no canonical form, so it cannot be digested, signed or recorded."""


class DatabaseError(KernelError):
    """The database cannot be opened, is of another version, or has another shape than the code."""


class KeyFileError(KernelError):
    """A key file is missing, unreadable, open to other users, or not what it should be."""


class PayloadError(KernelError):
    """A stored payload cannot be opened: its key is gone, or its bytes are not what was recorded."""


class NoteError(KernelError):
    """A signed note or a checkpoint is malformed, or its signature is not by the expected key."""


class LedgerError(KernelError):
    """Any failure of the record; the base of the errors below."""


class LedgerBusyError(LedgerError):
    """Another process holds the record of this state directory."""


class LedgerUnavailableError(LedgerError):
    """The record did not take the unit in time or at all; whatever asked for it is denied.

    Attributes:
        may_be_written: true when the unit had begun before the wait ended, so it may still be committed.
    """

    def __init__(self, message: str, *, may_be_written: bool = False) -> None:
        super().__init__(message)
        self.may_be_written = may_be_written


class LedgerIntegrityError(LedgerError):
    """The record is not the one that was written: replaced, rolled back, deleted or of another key."""
