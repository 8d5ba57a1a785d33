"""Making an archive's buckets and accounts on its store; runs with an administrator's credentials.

``provision`` makes the buckets. ``provision_accounts`` makes the accounts that the programs use; the table in
:mod:`ops.provision.accounts` states the rights of each. Only this package imports ``minio``.
"""

from ops.provision.accounts import ACCOUNTS, Account, recorder_account
from ops.provision.buckets import Bucket, provision
from ops.provision.principals import Principal, provision_accounts

__all__ = [
    "ACCOUNTS",
    "Account",
    "Bucket",
    "Principal",
    "provision",
    "provision_accounts",
    "recorder_account",
]
