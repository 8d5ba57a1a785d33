"""The secrets of camera URLs, encrypted with a key outside the archive (Fernet).

The archive keeps the sealed URL with the camera's other facts. Without the key file a thief cannot use it.
Without a backup of the key file the owner may lose it too.
"""

from cryptography.fernet import Fernet, InvalidToken

from archive.errors import IntegrityError, Malformed


def new_key() -> bytes:
    """A fresh key: 32 random bytes in URL-safe base64, as the key file holds it."""
    return Fernet.generate_key()


class FernetBox:
    """:class:`archive.ports.SecretBox` with one key. Raises Malformed ``bad_key_file``."""

    __slots__ = ("_fernet",)

    def __init__(self, key: bytes) -> None:
        try:
            self._fernet = Fernet(key.strip())
        except ValueError as error:
            raise Malformed(
                "the secret box's key is not 32 bytes in URL-safe base64",
                code="bad_key_file",
                hint="Restore the key file from its backup; a new key cannot open old secrets.",
            ) from error

    def seal(self, plain: str) -> str:
        """An opaque ASCII token; two calls never give the same one."""
        # Fernet writes a time into its token. A fixed time does not reveal when a camera was registered.
        return self._fernet.encrypt_at_time(plain.encode(), 0).decode("ascii")

    def open(self, token: str) -> str:
        """The plain text. Raises IntegrityError ``secret_unreadable`` for a wrong key or an altered token."""
        try:
            return self._fernet.decrypt(token.encode("ascii")).decode()
        except (InvalidToken, UnicodeError) as error:
            raise IntegrityError(
                "a sealed secret cannot be opened",
                code="secret_unreadable",
                hint="Another key sealed it, or it was altered. Restore the key file or enter the URL again.",
            ) from error
