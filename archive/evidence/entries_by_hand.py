"""Two long steps of ``VERIFIKASI.txt``: the ledger's entries, and the commands on revocation."""

NUMBER = 12
"""The number of the step on the ledger's entries."""

REVOKED = """\
    G=$(date -d "$(openssl ts -reply -in signatures/tagmanifest-sha256.txt.p7s.tsr -text 2>/dev/null \\
      | sed -n 's/^Time stamp: //p')" +%s)
    serial() { openssl x509 -in "$1" -noout -serial | cut -d= -f2; }
    entry() { openssl crl -in "$1" -noout -text | awk -v s="$2" '/Serial Number:/ { on = ($3 == s) } on'; }
    since() { { grep -Eo '[A-Z][a-z]{2} +[0-9]+ [0-9:]{8} [0-9]{4} GMT' || true; } \\
      | while read -r d; do date -d "$d" +%s; done | sort -n | head -n 1; }
    judge() { local E R; E=$(entry "$2" "$(serial "$1")"); R=$(since <<<"$E"); \\
      if ! openssl crl -in "$2" -CAfile "$3" -noout 2>&1 | grep -q '^verify OK'; then echo DAFTAR ASING; \\
      elif [ -z "$R" ]; then echo TIDAK DICABUT; elif [ "$G" -ge "$R" ] || grep -Eq "$4" <<<"$E"; \\
      then echo DICABUT; else echo DICABUT SESUDAHNYA; fi; }
    rm -f ../tsa-[0-9]*.pem
    echo "segel: $(judge ../signer.pem ../pencabutan.crl ../trust.pem '^never$')"
    openssl ts -reply -in signatures/tagmanifest-sha256.txt.p7s.tsr -token_out 2>/dev/null \\
      | openssl pkcs7 -inform DER -print_certs | awk '/-BEGIN/ { n++ } n { print >("../tsa-" n ".pem") }'
    lost='Compromise|Hold|Remove|Withdrawn'
    for c in ../tsa-[0-9]*.pem; do \\
      if openssl x509 -in "$c" -noout -ext extendedKeyUsage 2>/dev/null | grep -q 'Time Stamping'; \\
      then echo "waktu: $(judge "$c" ../pencabutan-waktu.crl ../tsa-trust.pem "$lost")"; fi; done
"""

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
