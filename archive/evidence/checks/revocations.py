"""Revocation: the papers beside the seal, and what lists from outside and inside say of who signed.

Part of the steps *seal* and *stamp*. A list is heard where an authority of the chain made it; it can condemn
a signature and never acquit one (:mod:`archive.trust.revocation`).
"""

from collections.abc import Callable, Sequence

from cryptography import x509

from archive.errors import ArchiveError, IntegrityError, Malformed
from archive.evidence import papers, paths
from archive.evidence.findings import Inquiry
from archive.evidence.parcel import read_small
from archive.timespan import format_instant, from_datetime
from archive.trust import certificates, revocation
from archive.trust.revocation import Revocation

Lists = tuple[x509.CertificateRevocationList, ...]
Chain = Sequence[x509.Certificate]


def packaged_lists(inquiry: Inquiry) -> Lists:
    """The readable lists of a package, silently; :func:`check_papers` says what is wrong with the others."""
    found: list[x509.CertificateRevocationList] = []
    for path in _papers(inquiry):
        if path.endswith(papers.LISTS):
            try:
                found += _lists_in(inquiry, path)
            except (Malformed, IntegrityError):
                continue
    return tuple(found)


def check_papers(inquiry: Inquiry, signer: x509.Certificate | None, roots: Chain, others: Chain) -> None:
    """See that everything under ``signatures/certs/`` is what it is called, and of this package.

    ``signer`` seals; ``others`` are the further certificates that the signatures of the package carry.
    """
    authorities: list[x509.Certificate] = [*roots, *others]
    lists: dict[str, bytes] = {}
    for path in _papers(inquiry):
        try:
            data = read_small(inquiry.parcel, path)
            if path.endswith(papers.LISTS):
                lists[path] = data
            elif path in {papers.SEAL_CHAIN, papers.STAMP_CHAIN}:
                chain = papers.read_chain(path, data)
                authorities += chain[1:]
                if not any(papers.is_issued_by(chain[-1], one) for one in (*roots, *others, chain[-1])):
                    inquiry.error("paper_foreign", path, f"{path} ends with an authority of nobody here")
                if path == papers.SEAL_CHAIN and signer is not None and chain[0] != signer:
                    inquiry.error("paper_foreign", path, f"{path} is the chain of another certificate")
                elif path == papers.STAMP_CHAIN and inquiry.tsa is not None and chain[0] != inquiry.tsa:
                    inquiry.error("paper_foreign", path, f"{path} is the chain of another authority")
            else:
                inquiry.error("paper_foreign", path, f"{path} is not one of the papers a seal has")
        except (Malformed, IntegrityError) as error:
            inquiry.object_to(path, error)
    for path, data in lists.items():
        _check_list(inquiry, path, data, authorities)
    _check_present(inquiry)


def check_seal(
    inquiry: Inquiry, path: str, chain: Chain, outside: Lists, packaged: Lists, stamped_at: int | None
) -> None:
    """Hold a signature's chain to the lists."""
    _judge(inquiry, path, lambda: revocation.check_seal(chain, (*outside, *packaged), stamped_at))


def check_stamp(
    inquiry: Inquiry, path: str, chain: Chain, outside: Lists, packaged: Lists, gen_time: int
) -> None:
    """Hold a time stamp's chain to the lists."""
    _judge(inquiry, path, lambda: revocation.check_stamp(chain, (*outside, *packaged), gen_time))


def check_lists(inquiry: Inquiry, path: str, chain: Chain, outside: Lists, at: int) -> None:
    """Where the reader brought lists: say when none of them speaks for the signer, or only an old one."""
    if not outside:
        return
    own = [crl for crl in outside if revocation.is_judged(chain, (crl,))]
    if not own:
        inquiry.warn(
            "revocation_unknown",
            path,
            f"none of the lists given is of the authority of {certificates.subject(chain[0])}",
        )
        return
    newest = papers.newest_lists(own)[-1]
    until = newest.next_update_utc
    if until is not None and from_datetime(until) < at:
        inquiry.warn(
            "crl_stale",
            path,
            f"the list of {newest.issuer.rfc4514_string()} was to be renewed before "
            f"{format_instant(from_datetime(until))}; ask for the newest",
        )


def _judge(inquiry: Inquiry, path: str, check: Callable[[], tuple[Revocation, ...]]) -> None:
    try:
        later = check()
    except IntegrityError as error:
        inquiry.object_to(path, error)
        return
    for one in later:
        inquiry.warn(
            "certificate_revoked_later", path, f"{one.sentence}; that was after the time stamp, which stands"
        )


def _check_present(inquiry: Inquiry) -> None:
    """Where a package has papers at all: its chains, and a revocation list, are among them."""
    there = _papers(inquiry)
    if not there:
        return
    if papers.SEAL_CHAIN not in there:
        _miss(inquiry, papers.SEAL_CHAIN)
        return
    try:
        chain = papers.read_chain(papers.SEAL_CHAIN, read_small(inquiry.parcel, papers.SEAL_CHAIN))
    except (Malformed, IntegrityError):
        return  # said already
    tsa = inquiry.tsa
    if len(chain) > 1 and not any(path.endswith(papers.LISTS) for path in there):
        _miss(inquiry, paths.CERTIFICATES)
    if papers.STAMP_CHAIN in there or tsa is None:
        return
    if any(papers.is_issued_by(tsa, one) for one in chain[1:]):
        _miss(inquiry, papers.STAMP_CHAIN)


def _miss(inquiry: Inquiry, path: str) -> None:
    what = "a revocation list" if path.endswith("/") else path
    inquiry.warn("paper_missing", path, f"{what} is not beside the seal, which does not depend on it")


def _lists_in(inquiry: Inquiry, path: str) -> Lists:
    """The lists in a part, which is read once in a verification. Raises Malformed, IntegrityError."""
    if path not in inquiry.lists:
        try:
            inquiry.lists[path] = revocation.load(path, read_small(inquiry.parcel, path))
        except (Malformed, IntegrityError) as error:
            inquiry.lists[path] = error
    found = inquiry.lists[path]
    if isinstance(found, ArchiveError):
        raise found.with_traceback(None)  # else each time adds to the one before
    return found


def _check_list(inquiry: Inquiry, path: str, data: bytes, authorities: Chain) -> None:
    try:
        found = _lists_in(inquiry, path)
    except (Malformed, IntegrityError) as error:
        inquiry.object_to(path, error)
        return
    if len(found) != 1 or revocation.to_pem(found[0]) != data:
        inquiry.error("bad_crl", path, f"{path} is not one revocation list in PEM form and nothing else")
    elif not any(revocation.is_authentic(found[0], authority) for authority in authorities):
        inquiry.error(
            "crl_not_authentic", path, f"no authority of this package made the revocation list {path}"
        )
    elif not path.rsplit("/", 1)[-1].startswith(revocation.name_of(found[0]).removesuffix(papers.LISTS)):
        inquiry.error("paper_foreign", path, f"{path} is the revocation list of another authority")


def _papers(inquiry: Inquiry) -> list[str]:
    return sorted(path for path in inquiry.parcel.sizes if path.startswith(paths.CERTIFICATES))
