"""What all tests share: Hypothesis's longer profile, for ``make fuzz``."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "long", max_examples=20_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
