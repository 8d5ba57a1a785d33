"""``saksi keys``: an installation's keys, their certificates, and the publication of their fingerprints."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from cryptography.hazmat.primitives.serialization import Encoding

from archive.canonical import sha256_hex
from archive.errors import Conflict, Malformed
from archive.timespan import format_instant, from_datetime, parse_instant
from ops.cli.options import Json, actor, open_site
from ops.cli.output import note, print_json, say
from ops.cli.times import time_text, value_text, zone_of_city
from ops.wiring import Site

if TYPE_CHECKING:
    from ops.keys import KeySet, Known

app = typer.Typer(
    help="Make, exchange, revoke and publish the keys of this installation.", no_args_is_help=True
)

Role = Annotated[str, typer.Argument(metavar="seal|log|tsa", help="Which key.")]
Algorithm = Annotated[
    str, typer.Option("--algorithm", help="Kind of the new key.", metavar="p256|rsa3072|rsa4096")
]


@app.command()
def init(algorithm: Algorithm = "p256", json_: Json = False) -> None:
    """Make a DEVELOPMENT authority, seal key, log key and local timestamp authority."""
    from ops import keys

    with open_site() as site:
        settings = site.settings
        made = keys.init(
            settings.keys_dir, clock=site.clock, algorithm=algorithm, passphrases=settings.passphrase_dir
        )
    _print(site, made, json_=json_)


@app.command()
def complete(json_: Json = False) -> None:
    """Add the log key to an older DEVELOPMENT set that lacks it."""
    from ops import keys

    with open_site() as site:
        settings = site.settings
        made = keys.complete(settings.keys_dir, clock=site.clock, passphrases=settings.passphrase_dir)
        _record(site, "key.made", "log", sha256=made.log_sha256)
    _print(site, made, json_=json_)


@app.command()
def show(json_: Json = False) -> None:
    """Show the trust root, the signer's fingerprint and the timestamp authority."""
    from ops import keys

    with open_site() as site:
        found = keys.show(site.settings.keys_dir, tsa_url=site.settings.tsa_url)
    _print(site, found, json_=json_)


@app.command("list")
def list_(json_: Json = False) -> None:
    """List every certificate that was ever in use: status, validity, fingerprint."""
    from ops import keys

    with open_site() as site:
        found = keys.certificates_of(site.settings.keys_dir)
    if json_:
        print_json({"certificates": [one.to_json() for one in found]})
        return
    zone = zone_of_city(site)
    for one in found:  # a fingerprint is printed in one piece, so that it can be copied
        until = f"{one.certificate.not_valid_after_utc.astimezone(zone):%Y-%m-%d}"
        since = "" if one.revoked_since is None else f"  revoked since {time_text(one.revoked_since, zone)}"
        say(f"{one.role:5} {one.status.value:8} until {until}  {one.sha256}{since}")


@app.command()
def rotate(role: Role, algorithm: Algorithm = "p256", json_: Json = False) -> None:
    """Exchange a DEVELOPMENT key for a new one; packages that the old key sealed stay valid."""
    from ops import keys

    with open_site() as site:
        settings = site.settings
        _refuse_amid_sealing(site, role)
        made = _on_record(
            site,
            "key.rotated",
            lambda: keys.rotate(
                settings.keys_dir,
                role,
                clock=site.clock,
                algorithm=algorithm,
                passphrases=settings.passphrase_dir,
            ),
        )
    note("The old private key is removed from the folder: destroy its backups too, and restart saksi work.")
    _print_known(site, made, json_=json_)


@app.command()
def revoke(
    what: Annotated[str, typer.Argument(metavar="KEY|SHA256", help="seal, log, tsa, or a fingerprint.")],
    reason: Annotated[
        str, typer.Option("--reason", help="As in RFC 5280, such as keyCompromise.", metavar="REASON")
    ],
    since: Annotated[
        str | None,
        typer.Option("--since", help="Time from which the key is not trusted; without it: now.", metavar="T"),
    ] = None,
    json_: Json = False,
) -> None:
    """Revoke a certificate of the DEVELOPMENT authority; packages stamped before stay valid."""
    from ops import keys

    moment = None if since is None else parse_instant(since)
    with open_site() as site:
        settings = site.settings
        done = _on_record(
            site,
            "key.revoked",
            lambda: keys.revoke(
                settings.keys_dir,
                what,
                reason=reason,
                since=moment,
                clock=site.clock,
                passphrases=settings.passphrase_dir,
            ),
        )
    note("Publish the new list, and inform everyone who has packages of that key: saksi keys publish")
    _print_known(site, done, json_=json_)


@app.command()
def csr(
    role: Role,
    output: Annotated[Path, typer.Option("-o", "--output", help="Write the request here.", metavar="FILE")],
    name: Annotated[str, typer.Option("--name", help="Common name in the certificate.", metavar="TEXT")] = "",
    algorithm: Algorithm = "p256",
) -> None:
    """Make a new key and a signing request for an institution (PKCS #10, PEM)."""
    from ops import keys

    _refuse_existing(output)
    with open_site() as site:
        settings = site.settings
        pem = keys.request_certificate(
            settings.keys_dir,
            role,
            organization=settings.organization,
            name=name or f"Saksi {role}",
            algorithm=algorithm,
            passphrases=settings.passphrase_dir,
        )
        _record(site, "key.requested", role, sha256=sha256_hex(pem))
    output.write_bytes(pem)
    say(f"{output} is written; the key waits for its certificate: saksi keys import {role} CERTIFICATE")


@app.command("import")
def import_(
    role: Role,
    certificate: Annotated[
        Path, typer.Argument(metavar="PEM", help="The certificate, then its intermediate authorities.")
    ],
    root: Annotated[
        list[Path] | None,
        typer.Option("--root", help="New trust root; the earlier ones stay.", metavar="PEM"),
    ] = None,
    json_: Json = False,
) -> None:
    """Check an institution's certificate (chain, key, purpose) and take it into use."""
    from archive.trust.certificates import load_pem_files
    from ops import keys

    roots = load_pem_files(root or [])
    with open_site() as site:
        settings = site.settings
        _refuse_amid_sealing(site, role)
        made = _on_record(
            site,
            "key.activated",
            lambda: keys.import_certificate(
                settings.keys_dir,
                role,
                _read(certificate),
                now=site.clock.now(),
                new_roots=roots,
                passphrases=settings.passphrase_dir,
            ),
        )
    _print_known(site, made, json_=json_)


@app.command()
def discard(role: Role) -> None:
    """Discard a key that waits for its certificate."""
    from ops import keys

    with open_site() as site:
        keys.discard_request(site.settings.keys_dir, role)
        _record(site, "key.discarded", role)
    say(f"the waiting {role} key is discarded")


@app.command("import-crl")
def import_crl(
    lists: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Revocation lists, PEM or DER.")],
) -> None:
    """Store an authority's newest revocation list; every package includes it from now on."""
    from archive.trust.revocation import load_files
    from ops import keys

    found = load_files(lists)
    with open_site() as site:
        for crl in found:
            keys.keep_list(site.settings.keys_dir, crl)
            facts = {
                "issuer": crl.issuer.rfc4514_string(),
                "sha256": sha256_hex(crl.public_bytes(Encoding.DER)),
                "as_of": format_instant(from_datetime(crl.last_update_utc)),
            }
            site.custody.record("revocation_list.kept", actor=actor(), details=facts)
    for crl in found:
        say(
            f"{crl.issuer.rfc4514_string()}: {len(list(crl))} revoked, list of {crl.last_update_utc:%Y-%m-%d}"
        )


@app.command("renew-crl")
def renew_crl() -> None:
    """Renew the DEVELOPMENT authority's revocation list for another year."""
    from ops import keys

    with open_site() as site:
        settings = site.settings
        keys.renew_list(settings.keys_dir, clock=site.clock, passphrases=settings.passphrase_dir)
        site.custody.record("revocation_list.renewed", actor=actor())
    say("the revocation list is renewed")


@app.command()
def protect(role: Role) -> None:
    """Encrypt a private key with its passphrase from the folder named by passphrase_dir."""
    from ops import keys

    with open_site() as site:
        keys.protect(site.settings.keys_dir, role, passphrases=site.settings.passphrase_dir)
        _record(site, "key.protected", role)
    say(f"the {role} key is encrypted")


@app.command()
def publish(
    output: Annotated[Path, typer.Option("-o", "--output", help="A new folder.", metavar="DIR")],
    json_: Json = False,
) -> None:
    """Write fingerprints (text, JSON, QR), certificates and lists for the city's site and decree."""
    from ops import keys

    with open_site() as site:
        names = keys.publish(
            site.settings.keys_dir, output, organization=site.settings.organization, clock=site.clock
        )
        site.custody.record("key.published", actor=actor(), objects=names)
    if json_:
        print_json({"folder": str(output), "parts": list(names)})
        return
    for name in names:
        say(str(output / name))


@app.command()
def recorders(json_: Json = False) -> None:
    """Print every key that a recorder was registered with (PEM), for: saksi verify --recorder-key FILE."""
    from archive.records.recorder_keys import registered_keys_of

    with open_site() as site:
        found = list(registered_keys_of(site.ledger))
    if json_:
        print_json({"keys": [one.to_json() for one in found]})
        return
    for one in found:
        say(f"# {one.recorder}  {format_instant(one.registered_at)}  SHA-256 {one.sha256}")
        say(one.pem.strip())


def _on_record(site: Site, event: str, act: "Callable[[], Known]") -> "Known":
    """Change a key, and write a custody event about it."""
    done = act()
    _record(site, event, done.role, sha256=done.sha256)
    return done


def _record(site: Site, event: str, role: str, **details: str) -> None:
    """Write a custody event about a change of a key."""
    site.custody.record(event, actor=actor(), objects=(f"key:{role}",), details=details)


def _refuse_amid_sealing(site: Site, role: str) -> None:
    """Refuse while a package is being sealed: it already names its signer, so the key must not change."""
    if role != "seal":
        return
    from archive.evidence import jobs
    from archive.model.evidence import EvidenceStatus

    now = site.clock.now()
    for job in jobs.all_jobs(site.ledger):
        record = job.record
        if record.status is EvidenceStatus.SEALING and record.claim is not None and record.claim.until > now:
            raise Conflict(
                f"{record.request.evidence_id} is being sealed with the key in use",
                code="sealing_in_work",
                hint="Wait until it is sealed, then stop saksi work --only seal during the exchange.",
            )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Malformed(f"{path} cannot be read: {error.strerror}", code="unreadable_input") from error


def _refuse_existing(output: Path) -> None:
    if output.exists():
        raise Conflict(
            f"{output} exists", code="output_exists", hint="Choose another name; nothing is overwritten."
        )
    if not output.parent.exists():
        raise Malformed(f"the folder of {output} does not exist", code="output_unwritable")


def _print_known(site: Site, one: "Known", *, json_: bool) -> None:
    if json_:
        print_json(one.to_json())
        return
    for name, value in one.to_json().items():
        say(f"{name:18} {value_text(value, zone_of_city(site))}")


def _print(site: Site, found: "KeySet", *, json_: bool) -> None:
    if found.development:
        note("These are DEVELOPMENT keys, made on this machine: evidence sealed with them is not for court.")
    facts = {
        "trust_root": str(found.trust_root),
        "trust_root_sha256": found.root_sha256,
        "signer_subject": found.signer_subject,
        "signer_sha256": found.signer_sha256,
        "signer_not_after": format_instant(from_datetime(found.signer_not_after)),
        "log_sha256": found.log_sha256,
        "log_not_after": None
        if found.log_not_after is None
        else format_instant(from_datetime(found.log_not_after)),
        "tsa": found.tsa,
        "development": found.development,
    }
    if json_:
        print_json(facts)
        return
    for name, value in facts.items():
        say(f"{name:18} {value_text(value, zone_of_city(site))}")
