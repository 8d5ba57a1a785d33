"""A step of ``VERIFIKASI.txt``: the recorders' signed batches, of both versions, with coreutils and OpenSSL.

:mod:`archive.evidence.report` writes the other steps, and says how the texts are tested.
"""

JOURNAL_COMMANDS = r"""
    first() { head -n 1 "$1"; }
    value() { sed "s/.*\"$1\"://; s/[,}].*//" | tr -d '"'; }
    is_2() { [ "$(first "$1" | tail -c 8)" = ',"v":2}' ]; }
    for j in data/proofs/journal/*_*.jsonl; do
      [ -f "$j" ] || continue; ok=GAGAL; at=2; end=$(wc -l <"$j")
      tail -n 1 "$j" | value sig | base64 -d >../sig 2>/dev/null || true
      if is_2 "$j"; then first "$j" >../signed; else head -n -1 "$j" >../signed; fi
      for k in data/proofs/recorders/*.pub.pem; do
        if openssl pkeyutl -verify -pubin -inkey "$k" -rawin -in ../signed -sigfile ../sig >../said 2>&1
        then ok="$k"; fi
      done
      echo "$j $ok"
      while is_2 "$j" && [ "$at" -lt "$end" ]; do
        n=$(sed -n "${at}p" "$j" | value lines | tr -cd 0-9 | cut -c1-9)
        s=$(sed -n "${at},$((at + n))p" "$j" | sha256sum | cut -c1-64)
        grep -q "\"sha256\":\"$s\"" ../signed || echo "GAGAL $j $at"
        at=$((at + n + 1))
      done
    done
    keys=$(sed -n 's/^{"camera":.*"tag_key":"\([0-9a-f]\{64\}\)","type":"part","v":2}$/\1/p' \
      data/proofs/journal/*_*.jsonl | sort -u)
    for j in data/proofs/journal/*_*.jsonl; do for t in $keys; do
      s=$(printf 'saksi journal part\n%s\n%s' "$(first "$j" | value recorder)" "$(first "$j" | value batch)" \
        | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$t" | sed 's/.* //')
      if first "$j" | grep "\"tag\":\"$s\"" >../said && ! grep -q "\"tag_key\":\"$t\"" "$j"
      then echo "TERTINGGAL $j"; fi
    done; done
    grep -vxFf <(cat data/proofs/journal/*_*.jsonl) -h data/proofs/leaves/*.jsonl || true
""".lstrip("\n")

JOURNAL_ID = """\
11. CATATAN PEREKAM, bila folder data/proofs/journal ada. Untuk setiap kumpulan catatan harus tercetak nama
   berkas kunci perekam yang menandatanganinya. GAGAL berarti kumpulan atau bagiannya bukan yang
   ditandatangani perekam; TERTINGGAL, bahwa catatan sebuah kamera dari paket ini dihilangkan dari kumpulan
   itu; baris lain adalah catatan segmen asli yang tidak ada dalam kumpulan mana pun. Kunci perekam harus
   sama dengan yang diumumkan instansi. Kumpulan versi 2 hanya memuat bagian kamera dalam paket ini; baris
   pertamanya, yang ditandatangani, menyebut SHA-256 setiap bagian, juga yang tidak dimuat. Kumpulan versi 1
   selalu utuh, dan ditandatangani seluruhnya.
"""
JOURNAL_EN = """\
11. THE RECORDERS' RECORDS, where data/proofs/journal is: for each batch the name of the recorder's key that
   signed it must appear. GAGAL (failed) means that a batch, or a part of it, is not what the recorder signed;
   TERTINGGAL (left out), that lines of one of the package's cameras were taken out of that batch; any other
   line is an original's record that no batch has. The recorders' keys must be those published by the
   authority. A batch of version 2 has the parts of this package's cameras only; its first line, which is
   signed, names the SHA-256 of every part, also of those that are not there. A batch of version 1 is always
   whole, and signed as a whole.
"""
