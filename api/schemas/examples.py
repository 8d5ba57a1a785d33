"""Values of all examples: one theft on Monday afternoon, 24 November 2026, at one crossing in Makassar.

The example of one answer fits that of the next request. Values used in many places are named here.
"""

FROM, TO = "2026-11-24T06:00:00.000000Z", "2026-11-24T06:10:00.000000Z"
FILED, DECIDED, SEALED = (
    "2026-11-24T09:12:41.520000Z",
    "2026-11-24T09:40:02.118000Z",
    "2026-11-24T09:43:17.904000Z",
)
REVIEW = "2027-02-01T00:00:00.000000Z"
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
OTHER = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
SIGNER = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9"
RUN = "6b05180000000001"
KEY = f"segments/cam-1/2026/11/24/06/20261124T060000.000000Z_{RUN}_00000001_{HASH[:16]}.mp4"
HOLD = "hold-5f2c7a90b1d34e86a7c8d9e0f1a2b3c4"
REQUEST, EVIDENCE, GRANT = "REQ-2026-7K3M9QX2TB", "EVD-2026-4H8N2WZ6RC", "GRT-0a1b2c3d4e5f6071"
DISPOSITION, INCIDENT = "dsp-0123456789abcdef01234567", "inc-89abcdef0123456789abcdef"
CASE = "LP/B/123/XI/2026"
PERWALI = "Perwali 4/2017"
PLAYLIST = "/v1/cameras/cam-1/playlist.m3u8?from=2026-11-24T06:00:00Z&to=2026-11-24T06:10:00Z"
