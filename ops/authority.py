"""The time-stamping authority of an installation: for packages, the log and records of disposition alike."""

from archive.ports import TimestampAuthority
from archive.trust.timestamp import HttpAuthority
from ops import keys
from ops.wiring import Site


def authority_of(site: Site) -> TimestampAuthority:
    """The authority of the site's settings; its connection is closed with the site.

    Raises:
        NotFound: ``keys_not_found``.
    """
    settings = site.settings
    found = keys.load_authority(
        settings.keys_dir, tsa_url=settings.tsa_url, clock=site.clock, passphrases=settings.passphrase_dir
    )
    if isinstance(found, HttpAuthority):
        site.closing(found.client.close)
    return found
