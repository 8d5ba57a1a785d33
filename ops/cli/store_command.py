"""``saksi store``: buckets, accounts, the proxy's configuration and the canary."""

import os
from typing import Annotated

import typer

from archive.errors import Malformed, Refused
from archive.objects.locations import S3Location, parse_archive_url
from ops.cli.options import Json, open_site
from ops.cli.output import note, print_json, print_table, say
from ops.settings import Settings

app = typer.Typer(help="Buckets, accounts and locks of the object store.", no_args_is_help=True)

Recorders = Annotated[
    list[str] | None,
    typer.Option("--recorder", metavar="ID", help="A recorder that gets an account; may be repeated."),
]


@app.command()
def provision(
    recorder: Recorders = None,
    rotate: Annotated[bool, typer.Option("--rotate", help="Give every named account a new secret.")] = False,
    json_: Json = False,
) -> None:
    """Make the buckets, and an account for each program; needs the administrator's credentials.

    Run it against the store itself, not the proxy. Secrets go to files under keys/store-accounts; existing
    files stay unchanged.
    """
    from ops.provision import ACCOUNTS, provision_accounts, recorder_account
    from ops.provision import provision as make_buckets

    settings, location = _on_s3()
    endpoint = location.endpoint
    if endpoint is None:
        raise Malformed(
            "Saksi cannot make accounts on AWS",
            code="bad_archive_url",
            hint="Make them in IAM from the output of: saksi store accounts --json",
        )
    access_key, secret_key = _administrator()
    buckets = make_buckets(
        endpoint,
        access_key,
        secret_key,
        location.name,
        footage_floor_days=settings.retention_floor_days,
        records_lock_days=settings.records_lock_days,
        region=location.region,
    )
    wanted = [*ACCOUNTS, *(recorder_account(one) for one in recorder or ())]
    made = provision_accounts(
        endpoint,
        access_key,
        secret_key,
        location.name,
        wanted,
        keys_dir=settings.keys_dir,
        rotate=rotate,
        region=location.region,
    )
    if json_:
        print_json(
            {
                "buckets": [{"name": one.name, "floor_days": one.floor_days} for one in buckets],
                "accounts": [
                    {
                        "name": one.account.name,
                        "access_key": one.access_key,
                        "environment": str(one.environment),
                        "fresh": one.fresh,
                    }
                    for one in made
                ],
            }
        )
        return
    for bucket in buckets:
        floor = "nothing is locked" if bucket.floor_days is None else f"locks for {bucket.floor_days} days"
        note(f"{bucket.name}: {floor}")
    rows: list[tuple[str, ...]] = [
        (one.access_key, "new secret" if one.fresh else "as it was", str(one.environment)) for one in made
    ]
    print_table(("ACCOUNT", "SECRET", "ENVIRONMENT FILE"), rows)


@app.command()
def accounts(recorder: Recorders = None, json_: Json = False) -> None:
    """Show the accounts and the rights of each, as policies with --json; contacts no store."""
    from ops.provision import ACCOUNTS, recorder_account

    _, location = _on_s3()
    wanted = [*ACCOUNTS, *(recorder_account(one) for one in recorder or ())]
    if json_:
        print_json(
            {
                "accounts": [
                    {
                        "name": one.name,
                        "access_key": one.access_key(location.name),
                        "purpose": one.purpose,
                        "policy": one.policy(location.name),
                    }
                    for one in wanted
                ]
            }
        )
        return
    purposes: list[tuple[str, ...]] = [(one.access_key(location.name), one.purpose) for one in wanted]
    print_table(("ACCOUNT", "PURPOSE"), purposes)


@app.command()
def proxy(
    listen: Annotated[str, typer.Option("--listen", metavar="HOST:PORT", help="Where programs reach it.")],
    store: Annotated[
        str, typer.Option("--store", metavar="HOST:PORT", help="The store; without it: as set.")
    ] = "",
) -> None:
    """Print the configuration of the nginx in front of the store."""
    from urllib.parse import urlsplit

    from ops.deploy import proxy_configuration

    _, location = _on_s3()
    behind = store or urlsplit(location.endpoint or "").netloc
    say(proxy_configuration(location.name, listen=listen, store=behind).rstrip())


@app.command()
def canary(json_: Json = False) -> int:
    """Try, as this account, to destroy locked and held objects; exit 1 if any attempt succeeded."""
    with open_site() as site:
        report = site.canary.fly()
    if json_:
        print_json(report.to_json())
    else:
        table: list[tuple[str, ...]] = [
            (one.bucket, one.attack, one.bypass.value, one.outcome.value) for one in report.findings
        ]
        print_table(("BUCKET", "ATTACK", "BYPASS", "OUTCOME"), table)
        for finding in report.broken:
            say(f"✗ {finding.message}")
        verdict = f"{len(report.broken)} promises broken" if report.broken else "every promise holds"
        say(f"As {report.account}: {verdict}")
    return 1 if report.broken else 0


def _on_s3() -> tuple[Settings, S3Location]:
    settings = Settings.load()
    location = parse_archive_url(settings.archive_url)
    if not isinstance(location, S3Location):
        raise Malformed(
            "the archive is in a folder, which has no accounts",
            code="archive_not_on_s3",
            hint="Set SAKSI_ARCHIVE_URL to s3://NAME?endpoint=…; see docs/guide/city-installation.md",
        )
    return settings, location


def _administrator() -> tuple[str, str]:
    found = tuple(os.environ.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    if not all(found):
        raise Refused(
            "the administrator's credentials are not set",
            code="store_credentials_missing",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, only for this command.",
        )
    return found[0], found[1]
