"""Signing a PDF (PAdES baseline B: ETSI EN 319 142-1) with any :class:`archive.ports.Signer`.

1. A signature field and an empty place for the signature are appended to the PDF; its earlier bytes stay.
2. The signer makes a detached CAdES signature over everything but that place.
3. The signature is put into the place. PDF readers and ``pdfsig`` then show the signer and that nothing
   changed.

This module never sees the key. Signing the same PDF twice gives two signatures, one after the other.
"""

from io import BytesIO

from asn1crypto import cms as asn1_cms
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from archive.errors import Malformed
from archive.ports import Signer
from archive.timespan import as_datetime

RESERVED = 32_768
"""Hex digits kept free for the signature with its certificates."""


def sign_pdf(
    pdf: bytes, signer: Signer, *, at: int, name: str, reason: str, field: str = "Tanda-tangan-1"
) -> bytes:
    """The PDF with a signature of ``signer``, which states the time ``at`` (µs).

    Args:
        pdf: an unencrypted document without a signature field of that name.
        signer: makes the CMS signature.
        at: the claimed time; only a time stamp could prove it.
        name: the signer's name, for PDF readers to show.
        reason: the reason for signing, for PDF readers to show.
        field: name of the signature field.

    Raises:
        Malformed: ``bad_pdf``: it cannot be read or has that field already.
    """
    claimed = as_datetime(at).replace(microsecond=0)
    signature = SignatureObject(
        timestamp=claimed, subfilter=SigSeedSubFilter.PADES, name=name, reason=reason, bytes_reserved=RESERVED
    )
    try:
        steps = PdfCMSEmbedder().write_cms(field, IncrementalPdfFileWriter(BytesIO(pdf), strict=True))
        next(steps)
        steps.send(SigObjSetup(sig_placeholder=signature))
        digest, output = steps.send(SigIOSetup(md_algorithm="sha256", in_place=False))
    except (PdfError, ValueError) as error:
        raise Malformed(f"the PDF cannot be signed: {error}", code="bad_pdf") from error
    start, end = digest.reserved_region_start, digest.reserved_region_end
    whole = output.getbuffer()
    made = signer.sign_cms(bytes(whole[:start]) + bytes(whole[end:]))
    whole.release()
    steps.send(asn1_cms.ContentInfo.load(made))
    return bytes(output.getvalue())
