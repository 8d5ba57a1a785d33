"""The commands of ``VERIFIKASI.txt`` on revocation, with coreutils and OpenSSL.

:mod:`archive.evidence.report` writes the step around them, and says how the texts are tested.
"""

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
