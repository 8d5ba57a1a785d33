"""Findings about signatures, certificates and time; see :mod:`archive.evidence.verifier.findings`."""

from __future__ import annotations

from archive.evidence.verifier.findings_contents import ERROR, OPEN, WARNING, Rows

LOG: Rows = (
    (
        "leaf_not_logged", ERROR,
        "Catatan ini tidak tercakup dalam pos pemeriksaan log mana pun.",
        "No checkpoint of the log covers this line.",
        "the absence of log in evidence.json",
    ),
    (
        "log_missing", ERROR,
        "Pernyataan tidak ada rekaman ini tidak menyertakan pos pemeriksaan log.",
        "This statement that there is no footage has no checkpoint of the log.",
        "the absence of checkpoints in evidence.json",
    ),
    (
        "logged_differs", ERROR,
        "Paket salah menyatakan apakah catatan segmen ini ada sebelum atau sesudah permintaan.",
        "The package says wrongly whether this original was on record before or after the request.",
        "times of batch and stamp against the request's, and logged in evidence.json",
    ),
    (
        "proof_missing", ERROR,
        "Bukti dari log ini hilang.",
        "This proof of the log is missing.",
        "the part or line that evidence.json names",
    ),
    (
        "not_included", ERROR,
        "Bukti log tidak menunjukkan bahwa catatan ini tercakup dalam pos pemeriksaannya.",
        "The proof does not show that the checkpoint covers the line.",
        "leaf hash and inclusion proof against the root (RFC 9162, 2.1.3.2)",
    ),
    (
        "bad_checkpoint", ERROR,
        "Pos pemeriksaan log ini tidak dapat dibaca.",
        "This checkpoint of the log cannot be read.",
        "the required form of a checkpoint's text (docs/reference/log.md)",
    ),
    (
        "checkpoint_differs", ERROR,
        "Pos pemeriksaan ini berbeda dari yang disebut dalam pernyataan paket.",
        "This checkpoint differs from what the package's statement says about it.",
        "number, origin, size, root, times and SHA-256 against evidence.json",
    ),
    (
        "checkpoint_missing", ERROR,
        "Pos pemeriksaan yang mencakup bagian ini tidak ada dalam paket.",
        "The checkpoint that covers this part is not in the package.",
        "checkpoints in evidence.json",
    ),
    (
        "checkpoint_signature_invalid", ERROR,
        "Tanda tangan pos pemeriksaan ini tidak sah.",
        "This checkpoint's signature is not valid.",
        "CAdES over the text by a certificate that leads to a trusted root at the stamp's time",
    ),
    (
        "checkpoint_stamp_invalid", ERROR,
        "Penanda waktu pos pemeriksaan ini tidak sah.",
        "This checkpoint's time stamp is not valid.",
        "RFC 3161 token over the text by a trusted authority",
    ),
    (
        "log_signer_unexpected", ERROR,
        "Pos pemeriksaan ini ditandatangani dengan sertifikat lain daripada yang diharapkan.",
        "This checkpoint was signed with another certificate than the expected one.",
        "SHA-256 fingerprint against --log-key",
    ),
    (
        "log_signer_is_sealer", ERROR,
        "Pos pemeriksaan ditandatangani dengan kunci yang sama dengan segel paket.",
        "The checkpoints are signed with the key that sealed the package.",
        "fingerprints of the two certificates",
    ),
    (
        "log_signer_not_pinned", WARNING,
        "Bandingkan sidik jari sertifikat log dengan yang diumumkan; sertifikat lain dari akar yang sama pun "
        "lolos.",
        "Compare the log certificate's fingerprint with the published one; any other certificate of the same "
        "root would pass as well.",
        "the absence of --log-key",
    ),
)  # fmt: skip
SEAL: Rows = (
    (
        "seal_missing", ERROR,
        "Segel hilang: paket ini tidak disegel.",
        "The seal is missing: this package is not sealed.",
        "signatures/tagmanifest-sha256.txt.p7s",
    ),
    (
        "seal_content", ERROR,
        "Segel dibuat atas bita lain; isi yang disegel telah berubah.",
        "The seal was made over other bytes; the sealed contents have changed.",
        "message-digest of the seal against SHA-256 of the bytes (RFC 5652, 11.2)",
    ),
    (
        "seal_signature", ERROR,
        "Segel tidak dibuat dengan kunci sertifikatnya.",
        "The seal was not made with its certificate's key.",
        "ECDSA or RSA over the signed attributes (RFC 5652, 5.4)",
    ),
    (
        "seal_form", ERROR,
        "Segel dapat dibaca, tetapi bentuknya bukan bentuk segel paket.",
        "The seal can be read, but does not have the form of a seal.",
        "CAdES-BES: one signer, SHA-256, detached, signing-certificate-v2 (ETSI EN 319 122)",
    ),
    (
        "bad_cms", ERROR,
        "Segel tidak dapat dibaca.",
        "The seal cannot be read.",
        "CMS in DER (RFC 5652)",
    ),
    (
        "bad_certificate", ERROR,
        "Sertifikat di dalamnya tidak dapat dibaca.",
        "A certificate inside cannot be read.",
        "X.509 in DER (RFC 5280)",
    ),
    (
        "chain_broken", ERROR,
        "Rantai sertifikat ini tidak sampai ke sertifikat akar yang Anda percayai.",
        "The certificate does not lead to a root that you trust.",
        "path validation (RFC 5280, 6) to --trust or --tsa-trust",
    ),
    (
        "certificate_expired", ERROR,
        "Sertifikat tidak berlaku pada waktu yang diperiksa.",
        "The certificate is not valid at the time for which it was judged.",
        "validity of the certificate against --at",
    ),
    (
        "certificate_revoked", ERROR,
        "Sertifikat telah dicabut, dan tidak terbukti bahwa tanda tangannya dibuat sebelum pencabutan.",
        "The certificate is revoked, and nothing proves that it signed before its revocation.",
        "a revocation list of its authority (RFC 5280, 5) and the stamp's time",
    ),
    (
        "certificate_revoked_later", WARNING,
        "Sertifikat dicabut setelah waktu penandaan; tanda tangan yang dibuat sebelum itu tetap sah.",
        "The certificate was revoked after the time of the stamp; its earlier signatures stay valid.",
        "a revocation list of its authority (RFC 5280, 5) and the stamp's time",
    ),
    (
        "revocation_unknown", WARNING,
        "Tidak satu pun daftar pencabutan yang diberikan berasal dari otoritas penyegel.",
        "None of the given revocation lists comes from the signer's authority.",
        "issuers and signatures of the lists of --crl",
    ),
    (
        "crl_stale", WARNING,
        "Daftar pencabutan yang diberikan sudah kedaluwarsa; mintalah yang terbaru.",
        "The given revocation list is out of date; get the newest one.",
        "nextUpdate of the list against --at",
    ),
    (
        "bad_crl", ERROR,
        "Daftar pencabutan ini tidak dapat dibaca.",
        "This revocation list cannot be read.",
        "one complete CRL (RFC 5280, 5); in the package in PEM form",
    ),
    (
        "crl_not_authentic", ERROR,
        "Daftar pencabutan ini tidak ditandatangani oleh otoritas mana pun dari paket ini.",
        "No authority of this package signed this revocation list.",
        "signature of the list by the roots, chains and carried certificates",
    ),
    (
        "paper_foreign", ERROR,
        "Berkas di samping segel ini bukan milik paket ini.",
        "This file beside the seal does not belong to this package.",
        "names, first certificates and issuers under signatures/certs/",
    ),
    (
        "paper_missing", WARNING,
        "Rantai sertifikat atau daftar pencabutan ini tidak ada di samping segel; segelnya tetap berlaku.",
        "This certificate chain or revocation list is missing beside the seal; the seal stays valid.",
        "signatures/certs/ against what the sealing software puts there",
    ),
    (
        "wrong_key_usage", ERROR,
        "Sertifikat tidak boleh dipakai untuk ini.",
        "The certificate must not be used for this.",
        "key usage and extended key usage (RFC 5280, 4.2.1.3 and 4.2.1.12)",
    ),
    (
        "no_trust", ERROR,
        "Tidak ada sertifikat akar dari luar paket; tidak ada yang dapat dipercaya.",
        "No root certificate from outside the package was given; nothing can be trusted.",
        "--trust, --tsa-trust",
    ),
    (
        "signature_not_checked", OPEN,
        "Tanda tangan belum diperiksa karena program openssl tidak tersedia; paket belum dapat dinyatakan "
        "sah.",
        "The signature was not checked because the openssl program is missing; the package is not valid yet.",
        "openssl 3.0 or later",
    ),
)  # fmt: skip
SIGNER: Rows = (
    (
        "signer_unexpected", ERROR,
        "Paket disegel dengan sertifikat lain daripada yang diharapkan.",
        "The package was sealed with another certificate than the expected one.",
        "SHA-256 fingerprint against --signer",
    ),
    (
        "signer_differs", ERROR,
        "Pernyataan paket menyebut penyegel lain, atau paket ini disegel ulang.",
        "The statement names another signer, or the package was sealed again.",
        "SHA-256 fingerprint and subject (RFC 4514) of the certificate against evidence.json",
    ),
    (
        "signer_not_pinned", WARNING,
        "Bandingkan sidik jari penyegel dengan berita acara atau situs instansi; sertifikat lain dari akar "
        "yang sama pun lolos.",
        "Compare the signer's fingerprint with the handover report or the authority's site; any other "
        "certificate of the same root would pass as well.",
        "the absence of --signer",
    ),
)  # fmt: skip
STAMP: Rows = (
    (
        "stamp_missing", ERROR,
        "Penanda waktu hilang: tidak ada bukti kapan paket disegel.",
        "The time stamp is missing: nothing proves when the package was sealed.",
        "signatures/tagmanifest-sha256.txt.p7s.tsr",
    ),
    (
        "stamp_content", ERROR,
        "Penanda waktu ini milik segel lain.",
        "The time stamp belongs to another seal.",
        "message imprint against the hash of the seal (RFC 3161, 2.4.2)",
    ),
    (
        "stamp_signature", ERROR,
        "Penanda waktu tidak ditandatangani oleh otoritasnya.",
        "The time stamp was not signed by its authority.",
        "CMS signature of the token (RFC 3161, 2.4.2)",
    ),
    (
        "stamp_form", ERROR,
        "Penanda waktu dapat dibaca, tetapi tidak lengkap atau memakai hash yang tidak dikenal.",
        "The time stamp can be read, but is incomplete or uses an unknown hash.",
        "SHA-256, -384 or -512; the authority's certificate inside",
    ),
    (
        "bad_token", ERROR,
        "Penanda waktu tidak dapat dibaca, atau berupa penolakan dari otoritas.",
        "The time stamp cannot be read, or is a refusal by the authority.",
        "TimeStampResp in DER (RFC 3161, 2.4.2)",
    ),
    (
        "stamp_before_package", ERROR,
        "Penanda waktu lebih tua daripada paketnya; itu tidak mungkin.",
        "The time stamp is older than the package, which cannot be.",
        "the token's time against prepared_at, five minutes allowed",
    ),
    (
        "stamp_in_future", ERROR,
        "Penanda waktu berada di masa depan menurut jam mesin ini; periksa jam mesin ini dahulu.",
        "The time stamp lies in the future by this machine's clock; check this clock first.",
        "the token's time against the machine's clock, five minutes allowed",
    ),
)  # fmt: skip
