"""Open the provider that a job of the journal is at."""

from kontext_cli.errors import UsageError
from kontext_cli.job import Job
from kontext_cli.providers import is_known, provider_class
from kontext_cli.providers.base import Provider
from kontext_cli.settings.settings import Settings, known_provider


def provider_of_job(job: Job, settings: Settings, *, anywhere: bool = False) -> Provider:
    """The provider of a job, at the server that has it, or ``anywhere``.

    Raises UsageError as `Settings.open` does, and for a provider whose package is not installed.
    """
    if job.package is not None and not is_known(job.provider):
        raise UsageError(
            f"the provider {job.provider} of job {job.id} is added by the package {job.package}, "
            "which is not installed",
            hint=f"install {job.package} in the environment of kontext",
        )
    name = known_provider(job.provider)
    if (package := provider_class(name).package) != job.package:
        its, now = job.package or "kontext itself", package or "kontext itself"
        raise UsageError(f"job {job.id} is at the provider {name} of {its}, not at that of {now}")
    return settings.open(name, None if anywhere else job.server)
