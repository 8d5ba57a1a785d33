"""A step of ``VERIFIKASI.txt``: the ledger's entries, with coreutils and jq.

:mod:`archive.evidence.report` writes the other steps, and says how the texts are tested.
"""

NUMBER = 12
"""The number of the step on the ledger's entries."""

RECORDS = """\
    jq -r '[.records, .dispositions | .[]? | select(.path)][] | "\\(.sha256)  \\(.path)"' \\
      data/metadata/evidence.json | sha256sum --check --strict --quiet
    jq -r '[.records, .dispositions | .[]? | .opened // empty][]' data/metadata/evidence.json \\
      | while read -r o; do jq -r '.opens | keys[]' <"$o" | while read -r f; do \\
        c=$(jq -cjS --arg f "$f" '[$f] + .opens[$f]' <"$o" | sha256sum | cut -c1-64); \\
        [ "$c" = "$(jq -r --arg f "$f" '.commits[$f]' <"${o%.opened.json}.json")" ] || echo "GAGAL $f"; \\
      done; done
    for o in data/metadata/ledger/*_request.opened.json; do [ ! -e "$o" ] || \\
      jq -r '.opens | to_entries[] | "\\(.key): \\(.value[1] | tojson)"' <"$o"; done
"""
RECORDS_ID = f"""\
{NUMBER}. SIAPA MEMINTA DAN MENYETUJUI, menurut catatan yang dibuat arsip pada waktu itu. Kedua perintah
   pertama tidak boleh mencetak apa pun: SHA-256 tiap catatan sama dengan yang dinyatakan, dan tiap isi yang
   ditunjukkan cocok dengan ikatannya, yaitu SHA-256 dari ["nama","garam",isi]. Isi yang tidak ditunjukkan
   tidak dapat ditebak. Perintah ketiga mencetak isi permintaan dan persetujuannya. Bahwa catatan itu ada
   dalam log, dan bahwa evidence.json menyatakan hal yang sama, diperiksa oleh langkah 9. Untuk membandingkan
   kunci perekam dengan yang diumumkan instansi, tambahkan --recorder-key PEM di sana. Perlu juga jq.
"""
RECORDS_EN = f"""\
{NUMBER}. WHO ASKED AND APPROVED, as the archive recorded it at that time. The first two commands must print
   nothing: each entry's SHA-256 is as stated, and each field that is shown fits its commitment, the SHA-256
   of ["name","salt",value]. A field that is not shown cannot be guessed. The third command prints the request
   and its approval. That the entries are in the log, and that evidence.json states the same, is checked by
   step 9. To compare recorders' keys with those that the authority published, add --recorder-key PEM there.
   jq is needed as well.
"""
