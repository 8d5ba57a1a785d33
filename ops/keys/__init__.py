"""Keys of an installation: a development set made on demand, an institution's certificates, and their care.

A folder of keys, mode 0700, outside the archive (``SAKSI_HOME/keys``)::

    root.pem root.key     the trust roots; the root key, only for a development authority
    seal.pem seal.key     the seal of packages: emailProtection, digitalSignature and nonRepudiation
    log.pem log.key       the log's checkpoints: emailProtection and digitalSignature
    tsa.pem tsa.key       the local time-stamping authority: timeStamping, critical
    secrets.key           the secret box of camera URLs
    recorders/<id>.key    one Ed25519 key a recorder, for its journal
    next/                 a key that waits for its certificate (``exchange``)
    trust/                every certificate ever in use, revocation lists, the history (``known``)

``init`` makes a set for development, and every subject says so. For use in court, an institution certifies
the city's keys: ``saksi keys csr`` and ``saksi keys import``. The log key is never the seal key: a key that
signs every hour without a person must not sign evidence.
"""

from ops.keys.development import complete, init, renew_list, revoke, rotate
from ops.keys.exchange import discard_request, import_certificate, request_certificate
from ops.keys.folder import ALGORITHMS, DEVELOPMENT, LOG, ROLES, ROOT, SEAL, TSA
from ops.keys.issuing import REASONS
from ops.keys.known import Known, Status, certificates_of, find, history, keep_list
from ops.keys.loading import (
    Deadline,
    KeySet,
    deadlines,
    load_authority,
    load_local_authority,
    load_log_signer,
    load_or_make_recorder_key,
    load_papers,
    load_secret_box,
    load_signer,
    protect,
    show,
)
from ops.keys.publishing import publication, publish

__all__ = [
    "ALGORITHMS",
    "DEVELOPMENT",
    "LOG",
    "REASONS",
    "ROLES",
    "ROOT",
    "SEAL",
    "TSA",
    "Deadline",
    "KeySet",
    "Known",
    "Status",
    "certificates_of",
    "complete",
    "deadlines",
    "discard_request",
    "find",
    "history",
    "import_certificate",
    "init",
    "keep_list",
    "load_authority",
    "load_local_authority",
    "load_log_signer",
    "load_or_make_recorder_key",
    "load_papers",
    "load_secret_box",
    "load_signer",
    "protect",
    "publication",
    "publish",
    "renew_list",
    "request_certificate",
    "revoke",
    "rotate",
    "show",
]
