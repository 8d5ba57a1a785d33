"""Notices by mail: plain text, one message for each recipient, so that nobody sees another's address."""

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP as SMTP_FORM
from pathlib import Path
from zoneinfo import ZoneInfo

from archive.cases.notices.job import Target
from archive.cases.notices.notice import Notice
from archive.cases.notices.wording import words_of
from archive.errors import Refused, Unavailable
from archive.timespan import as_datetime
from ops.notices.recipients import SmtpSettings
from ops.notices.secrets import read_secret

PASSWORD = "smtp.password"  # noqa: S105 - the name of a file
TIMEOUT_S = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class MailChannel:
    """The mail channel of an installation. Links lead to ``address``; times are in ``zone``.

    Each message has its own connection: messages are few, and a lost connection affects only one.
    """

    server: SmtpSettings
    targets: Sequence[Target]
    keys_dir: Path
    zone: ZoneInfo
    address: str
    name: str = "mail"

    def deliver(self, notice: Notice, target: Target) -> None:
        """Hand one message to the server.

        Raises:
            Unavailable: ``mail_unavailable``: no connection, no TLS, no sign-in, or a temporary refusal.
            Refused: ``mail_refused``: the server accepts no mail for this recipient.
            NotFound, Malformed: as :func:`ops.notices.secrets.read_secret`.
        """
        message = self.message(notice, target)
        # Read before connecting: a missing password is not an error of the server.
        password = read_secret(self.keys_dir, PASSWORD).decode("utf-8") if self.server.user else ""
        try:
            with self._connection() as connection:
                if self.server.user:
                    connection.login(self.server.user, password)
                connection.send_message(message, self.server.sender, [target.address])
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            raise Refused(
                f"the mail server accepts no mail for {target.name} ({code})", code="mail_refused"
            ) from None
        except smtplib.SMTPDataError as error:
            raise Refused(
                f"the mail server does not accept the message ({error.smtp_code})", code="mail_refused"
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            # The library's text may quote the message, so only the error's type is reported.
            raise Unavailable(
                f"the mail server {self.server.host} is unavailable: {type(error).__name__}",
                code="mail_unavailable",
                hint="See the table notices.smtp of saksi.toml, and saksi notice test.",
            ) from None

    def message(self, notice: Notice, target: Target) -> EmailMessage:
        """The message. Its headers hold only ids, times and addresses from the settings, no typed text."""
        words = words_of(notice, zone=self.zone, address=self.address)
        message = EmailMessage(policy=SMTP_FORM)
        message["From"] = self.server.sender
        message["To"] = target.address
        message["Subject"] = words.title
        message["Date"] = as_datetime(notice.at)
        domain = self.server.sender.rpartition("@")[2]
        message["Message-ID"] = f"<{target.delivery(notice)}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Saksi-Notice"] = notice.id
        if notice.urgent:
            message["Importance"] = "high"
        message.set_content(words.text, cte="quoted-printable")
        return message

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        server = self.server
        if server.security == "tls":
            with smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=self._tls()) as made:
                yield made
            return
        with smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S) as made:
            if server.security == "starttls":
                made.starttls(context=self._tls())  # raises if the server offers no TLS
            yield made

    def _tls(self) -> ssl.SSLContext:
        ca_file = self.server.ca_file
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
