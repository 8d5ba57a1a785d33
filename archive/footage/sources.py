"""Where a camera's source may lead: which networks, and which folders of recordings.

A person who registers a camera chooses where the recorder connects. Without a rule, that opens everything
that the recorder's machine can reach: its own services, its cloud's secrets, its files. So one rule judges a
source twice: when it is registered or changed, by its text (:meth:`SourceRule.check`), and at each
connection of the recorder, by the address that its name then has (:meth:`SourceRule.admits`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from archive.addresses import (
    Address,
    Network,
    is_of_a_host_elsewhere,
    is_of_this_machine,
    read_address,
)
from archive.errors import Refused

_LOOPBACK = (read_address("127.0.0.1"), read_address("::1"))
_ASK = "Ask the administrator: the setting {} says where a camera's source may lead."


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRule:
    """Where sources may lead.

    ``networks``: only addresses in these networks. Without any: every address that can belong to another
    machine; not loopback, link-local, multicast, reserved, nor a cloud's metadata service. The addresses of
    this machine itself (``is_own``) are refused on every interface, unless a network is that address alone.
    ``folders``: the folders of recordings that may be replayed as cameras. Without any, ``file://`` is
    refused. ``ca_file`` holds the certificates (PEM) that may have signed those of encrypted cameras;
    ``certificates`` is the folder in which a recorder keeps those of cameras whose own is pinned.
    """

    networks: tuple[Network, ...] = ()
    folders: tuple[Path, ...] = ()
    ca_file: Path | None = None
    certificates: Path | None = None
    is_own: Callable[[Address], bool] = is_of_this_machine

    def check(self, url: str) -> None:
        """Judge a well-formed source URL by its text, without asking a resolver.

        A name passes here, whatever its address: only the recorder's check at connection time counts.
        ``localhost`` is judged as loopback, which it always is.

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
        """The real path of a recording, links followed. Raises Refused ``source_refused``."""
        real = path.resolve()
        if not any(real.is_relative_to(folder.resolve()) for folder in self.folders):
            raise Refused(
                "no recording in that place may be replayed as a camera",
                code="source_refused",
                hint=_ASK.format("camera_folders"),
            )
        return real

    def _is_admitted(self, address: Address) -> bool:
        fitting = [one for one in self.networks if one.version == address.version and address in one]
        if any(one.num_addresses == 1 for one in fitting):
            return True
        if not address.is_loopback and self.is_own(address):
            return False
        return bool(fitting) if self.networks else is_of_a_host_elsewhere(address)


def refused_address() -> Refused:
    """The refusal of an address where no camera's source may lead."""
    return Refused(
        "the camera's source leads to an address that is not allowed for cameras here",
        code="source_refused",
        hint=_ASK.format("camera_networks"),
    )
