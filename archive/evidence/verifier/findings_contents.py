"""Findings about the contents of a package; :mod:`archive.evidence.verifier.findings` has all of them."""

from __future__ import annotations

ERROR, WARNING, OPEN = "error", "warning", "unchecked"
"""An error makes a package invalid; a warning is left to the reader; ``unchecked`` is not valid yet."""
Rows = tuple[tuple[str, str, str, str, str], ...]
"""Code, severity, sentence in Indonesian and in English, and what it rests on."""

STRUCTURE: Rows = (
    (
        "unsafe_entry", ERROR,
        "Entri ini tidak boleh ada dalam paket (tautan, nama ganda atau nama yang keluar dari folder, nama "
        "perangkat, bom kompresi, enkripsi); isi paket tidak dibaca.",
        "This entry must not be in a package (a link, a name repeated or leaving the folder, a device name, "
        "a decompression bomb, encryption); the package's contents were not read.",
        "names and records of the ZIP or folder, before any content is read",
    ),
    (
        "foreign_zip", ERROR,
        "ZIP ini ditolak: susunannya berbeda dari yang ditulis arsip, sehingga program lain mungkin "
        "mengekstrak isi yang berbeda. Ekstrak ZIP ini, lalu periksa foldernya.",
        "This ZIP is refused: its records differ from those the archive writes, so other programs may unpack "
        "different contents. Unpack it and verify the folder.",
        "every record of the ZIP against what the archive writes (APPNOTE.TXT, 4.3)",
    ),
    (
        "tag_missing", ERROR,
        "Berkas pokok paket ini hilang.",
        "This tag file of the package is missing.",
        "RFC 8493, 2.1 and 2.2.1",
    ),
    (
        "tag_altered", ERROR,
        "Isi berkas pokok ini berbeda dari yang tercatat dalam manifes yang disegel; berkas ini diubah.",
        "This tag file differs from what the sealed tag manifest lists; it was changed.",
        "SHA-256 against tagmanifest-sha256.txt",
    ),
    (
        "tag_manifest_incomplete", ERROR,
        "Manifes yang disegel harus mencatat ketiga berkas pokok saja, tanpa kurang atau lebih.",
        "The tag manifest does not list exactly the three tag files.",
        "the paths in tagmanifest-sha256.txt",
    ),
    (
        "bad_bag", ERROR,
        "Paket ini tidak menyatakan diri sebagai BagIt 1.0.",
        "The package does not declare itself BagIt 1.0.",
        "bagit.txt, byte for byte (RFC 8493, 2.1.1)",
    ),
    (
        "bad_bag_info", ERROR,
        "Keterangan paket tidak dapat dibaca.",
        "The package's information cannot be read.",
        "bag-info.txt: one label and value per line, each label once",
    ),
    (
        "bad_manifest", ERROR,
        "Manifes tidak dalam bentuk yang ditentukan; sebuah baris tidak dapat dipercaya.",
        "A manifest is not in the required form; one of its lines cannot be relied on.",
        "lines of 64 hex digits, two spaces, path, LF; ascending; no CR, no '*'",
    ),
    (
        "payload_oxum", ERROR,
        "Jumlah bita atau jumlah berkas isi berbeda dari yang tercatat.",
        "The payload's number of bytes or of parts differs from the stated one.",
        "Payload-Oxum in bag-info.txt against sizes and count under data/",
    ),
)  # fmt: skip
PAYLOAD: Rows = (
    (
        "payload_missing", ERROR,
        "Bagian yang tercatat dalam manifes ini hilang.",
        "This part is listed in the manifest and is missing.",
        "manifest-sha256.txt against the parts in the package",
    ),
    (
        "payload_altered", ERROR,
        "Isi bagian ini berubah setelah disegel.",
        "This part was changed after sealing.",
        "SHA-256 of its bytes against manifest-sha256.txt",
    ),
    (
        "unreadable_part", ERROR,
        "Bagian ini tidak dapat dibaca sampai akhir.",
        "This part cannot be read to its end.",
        "reading it; in a ZIP also its records and stated size",
    ),
)  # fmt: skip
COMPLETENESS: Rows = (
    (
        "unlisted_part", ERROR,
        "Bagian ini ditambahkan; tidak ada manifes yang mencatatnya, dan arsip tidak menaruhnya.",
        "This part was added; no manifest lists it, and the archive did not put it there.",
        "everything against both manifests; in signatures/ and handover/ the names that the archive gives",
    ),
    (
        "handover_altered", ERROR,
        "Dokumen serah terima ini bukan dokumen yang disebut oleh namanya.",
        "This document of a handover is not the one that its name says.",
        "SHA-256 against the name; the papers that a report prints lie beside it",
    ),
)  # fmt: skip
STATEMENT: Rows = (
    (
        "statement_missing", ERROR,
        "Pernyataan paket (evidence.json) hilang.",
        "The package's statement (evidence.json) is missing.",
        "data/metadata/evidence.json",
    ),
    (
        "bad_statement", ERROR,
        "Pernyataan paket tidak sesuai bentuk yang ditentukan.",
        "The package's statement does not have the published form.",
        "RFC 8785; JSON Schema evidence-package-2",
    ),
    (
        "statement_contradicts", ERROR,
        "Pernyataan paket bertentangan dengan bagian ini.",
        "The package's statement and this part contradict each other.",
        "evidence.json against the manifests, digests, sizes and bag-info.txt",
    ),
    (
        "impossible_time", ERROR,
        "Waktu yang dinyatakan tidak mungkin benar: bertentangan dengan waktu lain dalam paket ini.",
        "A stated time cannot be true: it contradicts another time in this package.",
        "times of request, approval, span, footage, log and seal against one another, five minutes allowed",
    ),
    (
        "approval_differs", ERROR,
        "Persetujuan yang tercantum bukan untuk permintaan yang dijawab paket ini.",
        "An approval is for another request than the one this package answers.",
        "entry_sha256 of each approval against the request's",
    ),
    (
        "approval_missing", ERROR,
        "Tidak ada persetujuan atas permintaan yang dijawab paket ini.",
        "Nobody approved the request that the package answers.",
        "evidence.json: a request needs an approval",
    ),
    (
        "old_version", ERROR,
        "Paket ini memakai bentuk lama (versi 1), yang boleh meninggalkan bukti; mintalah paket baru.",
        "This package has the old form (version 1), which could leave out proofs; ask for a new package.",
        "the member schema of evidence.json",
    ),
    (
        "unexplained_stretch", ERROR,
        "Ada rentang waktu yang tidak tertutup oleh rekaman maupun oleh celah yang dinyatakan.",
        "A stretch of time has neither footage nor a stated gap.",
        "originals and gaps of each camera against the span",
    ),
    (
        "gap_over_footage", ERROR,
        "Celah yang dinyatakan bertindih dengan rekaman dalam paket ini.",
        "A stated gap lies over footage of this package.",
        "gaps of each camera against its originals",
    ),
    (
        "gap_out_of_place", ERROR,
        "Celah yang dinyatakan bertindih dengan celah lain atau berada di luar rentang.",
        "A stated gap overlaps another one, or lies outside the span.",
        "gaps of each camera against one another and the span",
    ),
    (
        "text_reads_as_another", WARNING,
        "Sebuah teks dapat terbaca sebagai teks lain: abjadnya bercampur, hurufnya dalam bentuk lain, atau "
        "ada tanda yang tidak tampak. Periksa siapa dan apa yang dimaksud.",
        "A text may be read as another one: it mixes alphabets, has letters in another form, or has signs "
        "that do not show. Check who and what is meant.",
        "texts of evidence.json and custody.jsonl: Unicode NFC, alphabets like Latin, hidden signs",
    ),
)  # fmt: skip
ORIGINALS: Rows = (
    (
        "leaf_missing", ERROR,
        "Catatan perekam untuk segmen asli ini hilang.",
        "The recorder's lines for these originals are missing.",
        "the part that evidence.json names, in manifest-sha256.txt",
    ),
    (
        "leaf_mismatch", ERROR,
        "Segmen asli ini berbeda dari yang dicatat perekamnya.",
        "This original differs from the segment that its recorder recorded.",
        "SHA-256, size and every fact of the leaf against the original and evidence.json",
    ),
    (
        "bad_leaf", ERROR,
        "Catatan perekam ini tidak dapat dibaca.",
        "This line of a recorder cannot be read.",
        "the form of a leaf (docs/reference/evidence-package.md)",
    ),
    (
        "bad_json", ERROR,
        "Catatan perekam ini bukan JSON baku.",
        "This line of a recorder is not canonical JSON.",
        "RFC 8785",
    ),
)  # fmt: skip
DERIVATION: Rows = (
    (
        "clip_not_derived", ERROR,
        "Klip ini tidak tersusun dari bita segmen asli yang disebutnya.",
        "This clip does not consist of the originals' bytes that it names.",
        "the clip's bytes against the pieces' bytes of the originals",
    ),
    (
        "bad_pieces", ERROR,
        "Potongan yang disebut klip ini tidak menutup klip dengan tepat, atau menyebut bita yang tidak ada.",
        "The pieces of this clip do not tile it, or name bytes that do not exist.",
        "offsets and lengths in evidence.json against sizes and order of the originals",
    ),
    (
        "bad_clip", ERROR,
        "Klip ini bukan MP4 dengan susunan yang ditentukan untuk klip.",
        "This clip is not an MP4 file in the form required for clips.",
        "ftyp, moov, mdat; stsd, stsz, stsc, co64 (ISO/IEC 14496-12)",
    ),
    (
        "clip_header_differs", ERROR,
        "Kepala klip ini bukan yang mengikuti dari segmen aslinya; pemutar dapat menampilkan hal lain "
        "daripada yang direkam.",
        "This clip's header is not the one that follows from its originals; players may show something else "
        "than what was recorded.",
        "the header, made anew from the originals, their leaves and the span asked for, byte for byte",
    ),
    (
        "clip_misstated", ERROR,
        "Keterangan tentang klip ini (kamera, rentang, cuplikan tersembunyi, waktu potongan) tidak mengikuti "
        "dari segmen aslinya.",
        "What is stated about this clip (camera, span, hidden footage, times of pieces) does not follow from "
        "its originals.",
        "evidence.json against the clip made anew from the originals, their leaves and the span asked for",
    ),
    (
        "clip_incomplete", ERROR,
        "Klip ini melewatkan gambar yang ada dalam segmen asli pada rentang yang diminta.",
        "This clip leaves out frames that an original has in the span asked for.",
        "frames of the camera's originals against the wall times of the pieces",
    ),
    (
        "clip_layout_unknown", OPEN,
        "Pemeriksa ini belum mengenal tata letak klip ini; gunakan pemeriksa dari versi Saksi yang membuat "
        "paket, atau yang lebih baru.",
        "This verifier does not know the layout of this clip; use the verifier of the version of Saksi that "
        "made the package, or a later one.",
        "clip_layout in evidence.json",
    ),
    (
        "slices_differ", ERROR,
        "Irisan gambar (slice NAL) dalam klip ini berbeda dari deret irisan segmen asli yang dinyatakan.",
        "The slice NAL units of this clip differ from the stated run in its original.",
        "numbers, count and SHA-256 of slice NAL units, by the original's and the clip's own tables",
    ),
    (
        "slices_unreadable", WARNING,
        "Sampel segmen asli ini rusak sehingga irisannya tidak terbaca; bita klipnya tetap terbukti.",
        "Samples of this clip's original are damaged, so its slices cannot be read; the clip's bytes are "
        "still proven.",
        "lengths of NAL units against their samples",
    ),
)  # fmt: skip
JOURNAL: Rows = (
    (
        "journal_signature", ERROR,
        "Kumpulan catatan ini tidak ditandatangani oleh perekamnya.",
        "This batch is not signed by its recorder.",
        "Ed25519 (RFC 8032) over the header line; in version 1 over all bytes before the last line",
    ),
    (
        "journal_part_unsigned", ERROR,
        "Bagian dari kumpulan catatan ini bukan bagian yang ditandatangani perekam.",
        "A part of this batch is not one that the recorder signed.",
        "SHA-256 of each part against the signed header",
    ),
    (
        "journal_part_left_out", ERROR,
        "Perekam menandatangani catatan kamera ini dalam kumpulan ini, tetapi paket meninggalkannya.",
        "The recorder signed lines of this camera in this batch, and the package leaves them out.",
        "tags in the signed header against the camera's tag key",
    ),
    (
        "journal_tag_key", ERROR,
        "Perekam memakai dua kunci tanda untuk kamera ini, sehingga bagian yang ditinggalkan tidak tampak.",
        "The recorder used two tag keys for this camera, so that a part left out would not be seen.",
        "tag keys of all batches in the package that one recorder's key signed",
    ),
    (
        "journal_other_camera", ERROR,
        "Kumpulan catatan ini memuat catatan kamera yang tidak disebut oleh paket ini.",
        "This batch shows lines of a camera that the package does not name.",
        "cameras of the batch's parts against evidence.json",
    ),
    (
        "recorder_key_unexpected", ERROR,
        "Kunci perekam ini bukan salah satu kunci yang Anda berikan dari luar paket.",
        "This recorder's key is none of those that you gave from outside the package.",
        "the key against --recorder-key",
    ),
    (
        "journal_form", ERROR,
        "Kumpulan catatan ini tidak dalam bentuk yang ditentukan.",
        "This batch is not in the required form.",
        "header, parts, leaves and last line in canonical JSON",
    ),
    (
        "bad_key_file", ERROR,
        "Kunci perekam ini tidak dapat dibaca.",
        "This recorder's key cannot be read.",
        "Ed25519 public key in PEM form (RFC 8410)",
    ),
    (
        "leaf_not_journalled", ERROR,
        "Catatan segmen asli ini tidak ada dalam kumpulan bertanda tangan di paket ini.",
        "No signed batch in the package holds this original's line.",
        "SHA-256 of the leaf against the lines of all batches",
    ),
    (
        "proof_left_out", ERROR,
        "Paket memuat kumpulan catatan atau bukti log untuk segmen asli ini, tetapi meninggalkan yang lain.",
        "The package has the signed batch or the log's proof of this original, and leaves out the other one.",
        "the lines of all batches and log in evidence.json",
    ),
    (
        "journal_chain", ERROR,
        "Kumpulan catatan ini tidak menyambung dengan kumpulan sebelumnya di paket ini.",
        "This batch does not follow the batch before it in this package.",
        "prev of its header against SHA-256 of the batch before",
    ),
    (
        "original_left_out", ERROR,
        "Perekam menandatangani segmen dalam rentang ini yang tidak ada dalam paket dan tidak dinyatakan "
        "musnah.",
        "A recorder signed a segment of this span that the package neither holds nor states as destroyed.",
        "segments in the batches against originals, gaps and dispositions",
    ),
    (
        "run_incomplete", ERROR,
        "Di antara segmen-segmen asli dari satu rangkaian ada nomor yang hilang.",
        "Between the originals of one run a number is missing.",
        "numbers of each run; a signed gap or a disposition may account for one",
    ),
    (
        "gap_cause_differs", ERROR,
        "Sebab celah yang dinyatakan berbeda dari yang ditandatangani perekam.",
        "The stated cause of a gap differs from the one that the recorder signed.",
        "gaps in the batches against evidence.json",
    ),
    (
        "gap_left_out", ERROR,
        "Perekam menandatangani celah yang tidak dinyatakan oleh paket ini.",
        "A recorder signed a gap that this package does not state.",
        "gaps in the batches against evidence.json",
    ),
    (
        "gap_not_signed", ERROR,
        "Tidak ada catatan bertanda tangan dalam paket ini yang menyebut sebab celah ini.",
        "No signed line in the package states the cause of this gap.",
        "gaps in the batches against evidence.json; pending is accepted for an hour",
    ),
    (
        "gap_impossible", ERROR,
        "Sebab celah ini tidak mungkin pada waktu itu.",
        "The cause of this gap is not possible at that time.",
        "registration, preparation, destructions and the recorders' last lines",
    ),
    (
        "superseded_differs", ERROR,
        "Celah bertanda tangan yang kemudian tertutup rekaman tidak dinyatakan dengan benar.",
        "The signed gaps that footage covers after all are not stated as they are.",
        "gaps in the batches and originals against superseded in evidence.json",
    ),
)  # fmt: skip
