// All texts of the pages, Indonesian first and English second; and the choice between them.
// Texts are put into the page only with textContent.

const WORDS = {
  "sign_in.title": ["Masuk", "Sign in"],
  "sign_in.lead": ["Arsip rekaman CCTV kota. Setiap pembukaan rekaman dicatat.", "The city's CCTV archive. Every viewing of footage is recorded."],
  "sign_in.provider": ["Masuk dengan akun pemerintah kota", "Sign in with your city account"],
  "sign_in.or": ["atau dengan akun setempat", "or with a local account"],
  "sign_in.name": ["Nama akun", "Account name"],
  "sign_in.password": ["Kata sandi", "Password"],
  "sign_in.go": ["Masuk", "Sign in"],
  "sign_in.busy": ["Memeriksa…", "Checking…"],
  "invited.have": ["Saya punya kode undangan", "I have an invitation code"],
  "invited.not": ["Masuk dengan kata sandi", "Sign in with a password"],
  "invited.code": ["Kode undangan: bagian pertama, lalu bagian kedua", "Invitation code: first half, then second half"],
  "invited.password": ["Kata sandi baru", "New password"],
  "invited.again": ["Ulangi kata sandi baru", "Repeat the new password"],
  "invited.go": ["Simpan dan masuk", "Save and sign in"],
  "invited.differ": ["Kedua kata sandi tidak sama.", "The two passwords differ."],
  "view.title": ["Tampilan rekaman", "Recorded footage"],
  "view.choose": ["Pilih kamera dan waktu", "Choose cameras and a time"],
  "view.choose_hint": ["Satu sampai sembilan kamera, paling lama 24 jam.", "One to nine cameras, 24 hours at most."],
  "view.times": ["Tahun-bulan-tanggal jam:menit:detik, waktu kota ({zone}).", "Year-month-day hour:minute:second, the city's time ({zone})."],
  "view.choose_one": ["Pilih paling sedikit satu kamera.", "Choose at least one camera."],
  "view.search": ["Cari nama, nomor, atau kelurahan", "Search by name, id or kelurahan"],
  "view.from": ["Dari", "From"],
  "view.to": ["Sampai", "To"],
  "view.open": ["Buka", "Open"],
  "view.none": ["Tidak ada kamera yang dapat Anda lihat.", "There is no camera that you may see."],
  "view.more": ["{count} kamera lain cocok; persempit pencarian.", "{count} more cameras match; narrow the search."],
  "explorer.missing": ["Penjelajah antarmuka tidak terpasang di sini. Jalankan python -m ops.pages, lalu muat ulang halaman.", "The API explorer is not installed here. Run python -m ops.pages, then reload the page."],
  "ask.title": ["Untuk keperluan apa?", "What is this for?"],
  "ask.lead": ["Nomor laporan, nomor kejadian, atau regu jaga. Jawaban ini dicatat bersama nama Anda setiap kali rekaman dibuka.", "A report or incident number, or a shift. It is recorded with your name whenever footage is opened."],
  "ask.field": ["Keperluan", "Purpose"],
  "ask.go": ["Buka rekaman", "Open the footage"],
  "ask.who": ["Anda masuk sebagai {who}.", "You are signed in as {who}."],
  "do.play": ["Putar", "Play"],
  "do.pause": ["Jeda", "Pause"],
  "do.back": ["−5 dtk", "−5 s"],
  "do.on": ["+5 dtk", "+5 s"],
  "do.frame_back": ["−1 gambar", "−1 frame"],
  "do.frame_on": ["+1 gambar", "+1 frame"],
  "do.speed": ["Kecepatan", "Speed"],
  "do.all": ["Semua kamera", "All cameras"],
  "do.large": ["Perbesar {name}", "Enlarge {name}"],
  "do.print": ["Cetak", "Print"],
  "do.sign_out": ["Keluar", "Sign out"],
  "do.language": ["English", "Bahasa Indonesia"],
  "do.timeline": ["Garis waktu", "Timeline"],
  "do.keys": ["Tombol: spasi putar/jeda · ← → 5 dtk · , . satu gambar · + − kecepatan · 1–9 perbesar", "Keys: space plays · ← → 5 s · , . one frame · + − speed · 1–9 enlarge"],
  "note.viewing_copy": ["Salinan tampilan (H.264) karena peramban ini tidak dapat memutar H.265. Bukan barang bukti.", "Viewing copy (H.264), since this browser cannot play H.265. Not evidence."],
  "sound.recorded": ["suara direkam", "sound recorded"],
  "sound.none": ["suara tidak direkam", "no sound recorded"],
  "is.loading": ["Memuat…", "Loading…"],
  "is.waiting": ["Menunggu gambar…", "Waiting for pictures…"],
  "is.waiting_for": ["Menunggu: {names}", "Waiting for: {names}"],
  "is.playing_without": ["Memutar tanpa: {names}", "Playing without: {names}"],
  "is.playing": ["Memutar", "Playing"],
  "is.paused": ["Dijeda", "Paused"],
  "is.ended": ["Akhir waktu yang diminta", "End of the requested time"],
  "is.purpose": ["Keperluan: {why}", "Purpose: {why}"],
  "is.recorded": ["Terekam", "Recorded"],
  "is.locked": ["Terekam, tidak diizinkan untuk Anda", "Recorded, not permitted to you"],
  "is.refused": ["Tidak diizinkan", "Not permitted"],
  "is.missing": ["Tidak terekam", "Not recorded"],
  "is.pending": ["Belum masuk arsip", "Not in the archive yet"],
  "is.held": ["Ditahan untuk perkara", "Kept for a case"],
  "locked.title": ["Terekam, tetapi tidak diizinkan untuk Anda", "Recorded, but not permitted to you"],
  "unlisted.title": ["Tidak dapat diputar di sini", "Cannot be played here"],
  "unlisted.lead": ["Hanya sebagian segmen ini diizinkan untuk Anda, atau isinya baru berubah. Unduh atau mintalah klipnya.", "Only a part of this segment is permitted to you, or it has just changed. Download or ask for the clip."],
  "late.title": ["Gambar tertinggal", "This picture is late"],
  "late.lead": ["Kamera lain berjalan terus. Kamera ini menyusul bila siap.", "The other cameras go on. This one rejoins when it is ready."],
  "save.clip": ["Unduh klip satu menit dari waktu ini", "Download a clip of one minute from here"],
  "save.ask": ["Untuk melihatnya bergerak, mintalah klip kepada War Room.", "To see it move, ask the War Room for a clip."],
  "gap.title": ["Tidak ada rekaman", "No footage"],
  "gap.why": ["sebab: {cause}", "cause: {cause}"],
  "gap.span": ["{from} – {to}", "{from} – {to}"],
  "pending.title": ["Belum masuk arsip", "Not in the archive yet"],
  "pending.lead": ["Rekaman mungkin masih dikirim perekam. Muat ulang nanti.", "The recorder may still be sending it. Reload later."],
  "cause.unreachable": ["kamera tidak terjangkau", "camera was unreachable"],
  "cause.auth_failed": ["kamera menolak kata sandi perekam", "camera refused the recorder's password"],
  "cause.stream_error": ["aliran gambar rusak", "stream was damaged"],
  "cause.stalled": ["aliran gambar terhenti", "stream stalled"],
  "cause.no_keyframe": ["kamera tidak mengirim gambar utuh", "camera sent no keyframe"],
  "cause.recorder_restart": ["perekam dimulai ulang", "recorder was restarted"],
  "cause.recorder_overload": ["perekam kelebihan beban", "recorder was overloaded"],
  "cause.spool_full": ["ruang simpan sementara perekam penuh", "recorder's spool was full"],
  "cause.upload_lost": ["rekaman hilang sebelum masuk arsip", "lost before it reached the archive"],
  "cause.set_aside": ["rekaman ada, tetapi disisihkan karena tidak dapat diindeks", "recorded, and set aside because it cannot be indexed"],
  "cause.disabled": ["perekaman dinonaktifkan", "recording was disabled"],
  "cause.connecting": ["kamera baru didaftarkan atau diubah; perekam belum tersambung", "camera was new or changed, and the recorder was not connected yet"],
  "cause.clock_step": ["jam perekam dimajukan", "recorder's clock was set forward"],
  "cause.disposed": ["dimusnahkan menurut aturan dan tercatat", "destroyed by a rule and recorded"],
  "cause.not_yet": ["belum terjadi", "has not happened yet"],
  "cause.not_registered": ["kamera belum terdaftar", "camera was not registered yet"],
  "cause.unknown": ["tidak tercatat", "not recorded"],
  "error.codec": ["Peramban ini tidak dapat memutar gambar kamera ini (H.265). Gambar diam ditampilkan sebagai gantinya.", "This browser cannot decode this camera's video (H.265). Stills are shown instead."],
  "error.player": ["Pemutar belum terpasang di server ini: jalankan “python -m ops.pages”. Gambar diam ditampilkan sebagai gantinya.", "The player is not installed on this server: run “python -m ops.pages”. Stills are shown instead."],
  "error.stuck": ["Pemutar kamera ini macet; memulainya kembali tidak berhasil. Gambar diam ditampilkan. Pindah ke waktu lain untuk mencoba lagi.", "This camera's player is stuck, and starting it again did not help. Stills are shown. Go to another time to try again."],
  "error.signed_out": ["Sesi Anda sudah berakhir. Muat ulang halaman untuk masuk lagi.", "Your session has ended. Reload the page to sign in again."],
  "error.not_permitted": ["Izin Anda atas rekaman ini sudah berakhir.", "You are no longer permitted to see this footage."],
  "error.playback": ["Gambar tidak dapat diputar ({why}). Muat ulang halaman.", "The footage cannot be played ({why}). Reload the page."],
  "error.network": ["Server tidak menjawab. Periksa jaringan, lalu coba lagi.", "The server does not answer. Check the network and try again."],
  "error.link": ["Tautan ini tidak benar: {why}", "This link is not valid: {why}"],
  "error.too_many": ["paling banyak sembilan kamera", "nine cameras at most"],
  "error.times": ["waktu harus ditulis dengan selisih zona waktu, misalnya 2026-11-24T14:00:00+08:00", "times need an offset, such as 2026-11-24T14:00:00+08:00"],
  "error.order": ["waktu akhir harus setelah waktu awal", "the end must be after the start"],
  "problem.camera_not_found": ["Kamera ini tidak ada, atau tidak berada di wilayah Anda.", "There is no such camera, or it is not in your district."],
  "problem.not_granted": ["Rekaman ini tidak diizinkan untuk Anda. Ajukan permintaan.", "This footage was not granted to you. File a request."],
  "problem.not_permitted": ["Peran Anda tidak mengizinkan melihat rekaman.", "Your role does not permit viewing footage."],
  "problem.history_too_long": ["Paling lama 24 jam dalam satu tampilan.", "24 hours at most in one view."],
  "problem.span_in_future": ["Waktu itu belum terjadi.", "That time has not happened yet."],
  "problem.bad_purpose": ["Keperluan paling panjang 200 karakter.", "A purpose has 200 characters at most."],
  "problem.bad_id": ["Itu bukan nomor kamera yang sah.", "That is not a valid camera id."],
  "problem.sign_in_failed": ["Nama atau kata sandi salah, atau akun ditutup.", "Name or password is wrong, or the account is closed."],
  "problem.sign_in_locked": ["Terlalu banyak percobaan. Tunggu sebentar, lalu coba lagi.", "Too many attempts. Wait a moment, then try again."],
  "problem.invitation_refused": ["Kode undangan tidak dikenal, sudah dipakai, atau kedaluwarsa. Mintalah yang baru.", "The invitation code is unknown, was used, or has expired. Ask for a new one."],
  "problem.no_role": ["Peran Anda belum berlaku: administrator kedua harus menyetujuinya.", "Your role is not in force yet: a second administrator must consent."],
  "problem.roles_exclude": ["Peran-peran Anda tidak boleh dirangkap. Hubungi administrator.", "Your roles exclude one another. Ask an administrator."],
  "problem.weak_password": ["Kata sandi terlalu lemah: paling sedikit 12 karakter, tidak mudah ditebak, tanpa nama akun.", "The password is too weak: 12 characters at least, not easily guessed, without the account's name."],
  "problem.rate_limited": ["Terlalu banyak permintaan. Tunggu sebentar, lalu coba lagi.", "Too many requests. Wait a moment, then try again."],
  "problem.busy": ["Server sedang sibuk. Coba lagi beberapa saat lagi.", "The server is busy. Try again in a moment."],
  "time.within": ["± {seconds} detik", "± {seconds} s"],
  "time.unbounded": ["jam perekam tidak sinkron: tanpa batas", "recorder's clock not synchronised: no bound"],
  "is.doubtful": ["Waktu tidak pasti (± 0,5 detik atau lebih)", "Time uncertain (± 0.5 s or more)"],
  "accuracy.title": ["Ketelitian waktu", "Accuracy of the times"],
  "accuracy.worst": ["Ketelitian waktu: {bound}", "Accuracy of the times: {bound}"],
  "accuracy.line": ["{name}: {from} – {to}: {bound}", "{name}: {from} – {to}: {bound}"],
  "accuracy.none": ["{name}: tidak ada rekaman", "{name}: no footage"],
  "print.made": ["Dicetak {at} oleh {who}. Keperluan: {why}. Cetakan layar, bukan barang bukti.", "Printed {at} by {who}. Purpose: {why}. A printed screen, not an exhibit."],
};

const KEPT = "saksi.bahasa";
let language = 0;

try {
  language = localStorage.getItem(KEPT) === "en" ? 1 : 0;
} catch {
  // The browser may deny storage; then the language is Indonesian.
}

/** The text of a key in the chosen language, `{name}` filled in from `values`. */
export function say(key, values = {}) {
  const text = WORDS[key]?.[language] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** A number with one decimal, as the chosen language writes it. */
export function sayNumber(value) {
  const text = value.toFixed(1);
  return language ? text : text.replace(".", ",");
}

/** The text of a key, or `otherwise` if there is no such key. */
export function sayIf(key, otherwise) {
  return key in WORDS ? say(key) : otherwise;
}

/** The text of a problem (RFC 9457) for people: ours for its code, else the server's. */
export function sayProblem(problem) {
  if (problem.code === "network") return say("error.network");
  return sayIf(`problem.${problem.code}`, `${problem.detail ?? problem.code} ${problem.hint ?? ""}`.trim());
}

/** Set the text of every element that names a key in `data-say`, and the page's language. */
export function fill(root = document) {
  document.documentElement.lang = language ? "en" : "id";
  for (const element of root.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const element of root.querySelectorAll("[data-say-title]")) {
    element.title = say(element.dataset.sayTitle);
    element.setAttribute("aria-label", element.title);
  }
}

/** Switch to the other language. */
export function switchLanguage() {
  language = 1 - language;
  try {
    localStorage.setItem(KEPT, language ? "en" : "id");
  } catch {
    // Then the choice applies to this page only.
  }
  fill();
}
