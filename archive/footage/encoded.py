"""Pictures that the recorder encoded, in words for people: JPEG pictures of old cameras, stored as H.264."""

from archive.model import leaf as leaves
from archive.model.segment import Segment

ENCODED = (
    "Kamera mengirim gambar JPEG (MJPEG); perekam mengodekannya menjadi H.264 saat merekam. Tiap gambar "
    "dikodekan satu kali, pada waktunya sendiri. Gambar di segmen ini karena itu tidak sama bit demi bit "
    "dengan yang dikirim kamera; segmennya sendiri tidak berubah sejak direkam.",
    "The camera sent JPEG pictures (MJPEG); the recorder encoded them as H.264 while it recorded. Each "
    "picture was encoded once, at its own time. So the pictures in these segments are not bit for bit those "
    "that the camera sent; the segments themselves are unchanged since they were recorded.",
)
"""What is said of such footage, in Indonesian and English."""
_MEMBER = b'"made_from":'


def pictures_of_leaf(line: bytes) -> str:
    """What a segment's pictures were made from, by its recorder's leaf; "" where they are the camera's own.

    Raises:
        Malformed: ``bad_leaf``.
    """
    if _MEMBER not in line:  # as nearly all leaves
        return ""
    found = leaves.decode(line)
    return found.made_from if isinstance(found, Segment) else ""
