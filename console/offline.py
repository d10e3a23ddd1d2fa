"""What commands share that read the state directory themselves, without a control plane."""

from console.session import Session
from runtime.settings import Settings, load_settings


def settings_of(session: Session) -> Settings:
    """Return the settings, with the state directory that the command line names.

    Raises:
        runtime.errors.SettingsError: a setting is unknown or cannot be used.
    """
    settings = load_settings()
    if session.state_dir is None:
        return settings
    return settings.model_copy(update={"state_dir": session.state_dir.absolute()})
