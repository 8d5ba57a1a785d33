"""How Hypothesis looks for examples: never by the clock of a machine that does other things too."""

from hypothesis import HealthCheck, settings

_PROFILE = "saksi"


def pytest_configure() -> None:
    """As Hypothesis has it here, or in CI, but without a deadline for an example or for making one."""
    settings.register_profile(
        _PROFILE,
        settings.get_profile(settings.get_current_profile_name()),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile(_PROFILE)
