"""Findings about the ledger's entries; :mod:`archive.evidence.verifier.findings` has all of them."""

from __future__ import annotations

from archive.evidence.verifier.findings_contents import ERROR, OPEN, WARNING, Rows

RECORDS: Rows = (
    (
        "records_missing", ERROR,
        "Paket ini tidak memuat catatan arsip tentang kamera, perekam, permintaan dan penahanannya.",
        "The package does not have the ledger's entries about its cameras, recorders, request and hold.",
        "records in evidence.json; packages stamped before 26 November 2026 need none",
    ),
    (
        "record_missing", ERROR,
        "Catatan arsip yang membuktikan pernyataan ini tidak ada dalam paket.",
        "The entry of the ledger that would prove this is not in the package.",
        "the entries that a request, its hold, a camera or a recorder must have",
    ),
    (
        "record_not_logged", ERROR,
        "Catatan arsip ini tidak tercakup dalam pos pemeriksaan log mana pun.",
        "No checkpoint of the log covers this entry of the ledger.",
        "the absence of log; --allow-unlogged does not accept it",
    ),
    (
        "record_form", ERROR,
        "Catatan arsip ini tidak dalam bentuk yang ditentukan.",
        "This entry of the ledger is not in the required form.",
        "canonical JSON and the members of an entry",
    ),
    (
        "record_opening", ERROR,
        "Isi yang ditunjukkan bukan isi yang dicatat arsip pada waktu itu.",
        "What is shown of this entry is not what the archive recorded.",
        "SHA-256 of [name, salt, value] against the entry's commitment",
    ),
    (
        "record_chain", ERROR,
        "Catatan arsip ini tidak menyambung dengan catatan sebelumnya.",
        "This entry does not follow the entry before it.",
        "prev against the digest of the version before",
    ),
    (
        "record_differs", ERROR,
        "evidence.json menyatakan hal yang berbeda dari catatan arsip.",
        "evidence.json states something else than the ledger's entry.",
        "the opened fields of the entry",
    ),
    (
        "record_foreign", ERROR,
        "Catatan arsip ini tentang perkara, kamera atau perekam lain.",
        "This entry is about another case, camera or recorder.",
        "kind and id of the entry",
    ),
    (
        "record_shows_too_much", ERROR,
        "Catatan arsip ini menunjukkan hal yang tidak boleh ada dalam paket.",
        "This entry shows what must not be in a package.",
        "the fields that each kind of entry may show",
    ),
    (
        "recorder_key_not_registered", ERROR,
        "Kunci yang menandatangani kumpulan catatan ini tidak terdaftar untuk perekamnya.",
        "The key that signed this batch was not registered for its recorder.",
        "public_key in the recorder's entry, under a checkpoint",
    ),
    (
        "record_not_shown", WARNING,
        "Catatan arsip lama ini memuat hal rahasia, sehingga hanya disebut; isinya dinyatakan penyegel saja.",
        "This old entry holds a secret, so the package only names it; the sealer alone states the facts.",
        "entry: not_shown in evidence.json",
    ),
    (
        "destruction_not_shown", OPEN,
        "Catatan pemusnahan ini tidak ditunjukkan, sehingga pemusnahannya belum terbukti; periksa di arsip.",
        "The entry of this destruction is not shown, so nothing proves it yet; look it up in the archive.",
        "entry: not_shown of a destruction",
    ),
)  # fmt: skip
