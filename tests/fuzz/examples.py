"""How many examples a fuzz test runs: some dozen on every day, 20,000 in a soak."""

from hypothesis import HealthCheck, settings

from soaking import SOAK, soaked

SOAKED = 20_000


def fuzzed(short: int) -> settings:
    """The settings of a fuzz test.

    Every day it runs the same ``short`` examples, so that nothing fails by chance; a soak draws
    new ones each time, and prints what it takes to run one that failed again.
    """
    return settings(
        max_examples=soaked(short, SOAKED),
        derandomize=not SOAK,
        deadline=None,
        print_blob=True,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.large_base_example,
            HealthCheck.too_slow,
        ],
    )
