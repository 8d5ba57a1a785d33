"""Where a camera's source may lead: which networks, and which folders of recordings.

Whoever registers a camera chooses what the recorder connects to. Without a rule that is a way into whatever
the recorder's machine can reach: its own services, its cloud's secrets, its files. So a source is judged
twice by one rule: when it is registered or changed, as far as its text tells (:meth:`SourceRule.check`), and
by the recorder at each connection, on the address that its name has then (:meth:`SourceRule.admits`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from archive.addresses import Address, Network, is_of_a_host_elsewhere, read_address
from archive.errors import Refused

_LOOPBACK = (read_address("127.0.0.1"), read_address("::1"))
_ASK = "Ask whoever runs the installation: the setting {} says what cameras may lead to."


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRule:
    """What sources may lead to.

    ``networks``: the addresses of cameras, and no others. Without any: every address that can be another
    machine's; not loopback, link-local, multicast, reserved, nor a cloud's metadata service.
    ``folders``: where recordings that are replayed as cameras lie. Without any, ``file://`` is refused.
    """

    networks: tuple[Network, ...] = ()
    folders: tuple[Path, ...] = ()

    def check(self, url: str) -> None:
        """Judge a well-formed source URL by its text, without asking a resolver.

        A name passes, whatever it may lead to now: only the recorder's own look counts. ``localhost`` is
        judged as what it always is.

        Raises:
            Refused: ``source_refused``; the message names neither the URL nor the address.
        """
        parts = urlsplit(url)
        if parts.scheme == "file":
            self.replayed(Path(unquote(parts.path)))
            return
        host = (parts.hostname or "").rstrip(".")
        if host == "localhost" or host.endswith(".localhost"):
            literals: Sequence[Address | None] = _LOOPBACK
        elif ":" in host or read_address(host) is not None:
            literals = (read_address(host),)
        else:
            return
        if not any(one is not None and self._is_admitted(one) for one in literals):
            raise refused_address()

    def admits(self, address: str) -> bool:
        """Whether the recorder may connect to a numeric address."""
        found = read_address(address)
        return found is not None and self._is_admitted(found)

    def replayed(self, path: Path) -> Path:
        """Where a recording really lies, links followed. Raises Refused ``source_refused``."""
        real = path.resolve()
        if not any(real.is_relative_to(folder.resolve()) for folder in self.folders):
            raise Refused(
                "recordings are not replayed as cameras from that place",
                code="source_refused",
                hint=_ASK.format("camera_folders"),
            )
        return real

    def _is_admitted(self, address: Address) -> bool:
        if self.networks:
            return any(address in network for network in self.networks if network.version == address.version)
        return is_of_a_host_elsewhere(address)


def refused_address() -> Refused:
    """What is said of an address that cameras may not lead to."""
    return Refused(
        "the camera's source leads to an address that no camera may have here",
        code="source_refused",
        hint=_ASK.format("camera_networks"),
    )
