"""FFmpeg's exact commands, and that no argument ever holds a camera's secret."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed, Refused, Unavailable
from archive.footage.source_url import device_of
from archive.model.camera import shown_source
from recorder.binary import Binary, find_ffmpeg, verifying
from recorder.command import look_command, record_command
from recorder.encoding import JpegPictures
from recorder.sources import Source, SourceKind, parse_source

BINARY = Binary(Path("/usr/bin/ffmpeg"), "5.1.9", 5, Path("/fonts/Mono.ttf"))
FOLDER = Path("/spool/kam-1/s")
SEGMENTS = (
    "{more}-segment_atclocktime 1 -segment_format mp4 -segment_format_options "
    "movflags=+empty_moov+default_base_moof+frag_discont:use_editlist=0:avoid_negative_ts=disabled"
    ":frag_duration=500000:flush_packets=1:write_prft=wallclock"
    ":video_track_timescale=90000 -segment_list pipe:1 -segment_list_type csv "
    "-segment_time 10 {last}/spool/kam-1/s/%06d.raw.mp4"
)
COPIED = SEGMENTS.format(more="", last="")
MARKS = (
    r"-bsf:v setts=pts=if(eq(PTS\,NOPTS)*eq(N\,0)\,-630007\,PTS)"
    r":dts=if(lt(N\,7)\,(N-7)*90001\,DTS) "
)
QUIET = "/usr/bin/ffmpeg -hide_banner -loglevel error -nostats -nostdin"
TELLING = QUIET.replace("error", "repeat+level+warning")


def command(url: str, folder: Path = FOLDER, sound: str = "") -> tuple[str, str]:
    source = parse_source(url)
    made = record_command(BINARY, source, folder, segment_seconds=10, timeout_us=5_000_000, sound=sound)
    return " ".join(made.argv), made.stdin.decode()


def test_rtsp() -> None:
    argv, stdin = command("rtsp://admin:p%40ss@10.0.0.7:8554/main?channel=1")
    assert argv == (
        f"{TELLING} -f concat -format_whitelist concat,rtsp "
        "-protocol_whitelist pipe,rtsp,rtsps,rtp,srtp,udp,tcp,tls,crypto "
        f"-safe 0 -i pipe:0 -map 0:v:0 -f segment -an {MARKS}-c copy {COPIED}"
    )
    assert stdin == (
        "ffconcat version 1.0\n"
        "file 'rtsp://admin:p%40ss@10.0.0.7:8554/main?channel=1'\n"
        "option rtsp_transport tcp\n"
        "option timeout 5000000\n"
    )


@pytest.mark.parametrize(
    ("sound", "options"),
    [("aac", ""), ("opus", ""), ("pcm_alaw", "-c:a aac "), ("adpcm_g726", "-c:a aac ")],
)
def test_rtsp_with_sound(sound: str, options: str) -> None:
    """It is copied or turned into AAC, and never holds a picture back for long."""
    argv, _ = command("rtsp://10.0.0.7/main", sound=sound)
    assert f"-map 0:v:0 -map 0:a:0? -f segment {MARKS}-c copy {options}-max_interleave_delta 20000 " in argv
    assert " -an " not in argv
    assert argv.endswith(COPIED)


def test_bare_aac_gets_its_configuration_before_the_file_is_described() -> None:
    argv, _ = command("http://cam.example/live.ts", sound="aac")
    assert "-bsf:a aac_adtstoasc" in argv
    assert "+frag_discont+delay_moov:" in argv
    for url, sound in (("http://cam.example/live.ts", "opus"), ("rtsp://10.0.0.7/main", "aac")):
        argv, _ = command(url, sound=sound)
        assert "aac_adtstoasc" not in argv
        assert "delay_moov" not in argv


def test_a_look_at_the_sound_copies_one_packet_and_shows_no_secret() -> None:
    made = look_command(BINARY, parse_source("http://u:s3cr3t@cam.example/live.flv"), timeout_us=7)
    argv = " ".join(made.argv)
    assert argv.endswith("-i pipe:0 -map 0:a:0 -f framehash -c copy -frames:a 1 pipe:1")
    assert "s3cr3t" not in argv
    assert "option rw_timeout 7" in made.stdin.decode()


def test_http() -> None:
    argv, stdin = command("https://cam.example/live.flv#certificate=unverified&timeout=9")
    assert argv == (
        f"{TELLING} -f concat -format_whitelist concat,flv,h264,hevc,matroska,mov,mpegts,mpjpeg "
        "-protocol_whitelist pipe,http,https,tcp,tls,crypto -safe 0 -i pipe:0 "
        f"-map 0:v:0 -f segment -an -c copy {COPIED}"
    )
    assert stdin.splitlines()[1:] == [
        "file 'https://cam.example/live.flv'",
        "option rw_timeout 5000000",
        "option max_redirects 0",
        "option tls_verify 0",
    ]


@pytest.mark.parametrize(
    ("said", "option"),
    [("tcp", "tcp"), ("udp", "udp"), ("multicast", "udp_multicast")],
)
def test_rtsp_over_each_transport(said: str, option: str) -> None:
    _, stdin = command(f"rtsp://10.0.0.7/main?x=1#transport={said}")
    assert stdin.splitlines()[1:3] == ["file 'rtsp://10.0.0.7/main?x=1'", f"option rtsp_transport {option}"]


def test_datagrams_are_taken_from_their_sender_or_their_group_alone() -> None:
    argv, stdin = command("udp://10.20.0.11:5004#timeout=3")
    assert "-format_whitelist concat,mpegts -protocol_whitelist pipe,udp -safe 0" in argv
    assert stdin.splitlines()[1:] == [
        "file 'udp://0.0.0.0:5004?sources=10.20.0.11'",
        "option timeout 5000000",
        "option overrun_nonfatal 1",
    ]
    assert "file 'udp://[::]:5004?sources=fd12::7'" in command("udp://[fd12::7]:5004")[1]
    assert "file 'udp://239.1.2.3:5004'" in command("udp://239.1.2.3:5004")[1]


def test_an_encrypted_camera_is_verified_or_there_is_no_command() -> None:
    for url in (
        "rtsps://10.0.0.7/main",
        "https://10.0.0.7/live.flv",
        f"rtsps://cam/1#certificate={'a' * 64}",
    ):
        with pytest.raises(Refused) as caught:
            command(url)
        assert caught.value.code == "camera_not_verified"
    source = parse_source("rtsps://10.0.0.7/main")
    made = record_command(
        find_ffmpeg(), replace(source, anchor=Path("/etc/saksi/it's.pem"), proves="cam.lan"), FOLDER,
        segment_seconds=10, timeout_us=1,
    )  # fmt: skip
    assert made.stdin.decode().splitlines()[-3:] == [
        "option tls_verify 1",
        r"option ca_file '/etc/saksi/it'\''s.pem'",
        "option verifyhost 'cam.lan'",
    ]
    told = subprocess.run([made.argv[0], "-h", "demuxer=rtsp"], capture_output=True, text=True, check=True)
    assert "-verifyhost" in told.stdout, "an FFmpeg without it passes the options over"


@pytest.mark.parametrize("unknown", ["verify", "certificates=unverified"])
def test_no_ffmpeg_that_verifies_nothing_is_used(
    unknown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f"#!/bin/sh\necho ffmpeg version 5.1.9 {unknown}\n")
    program.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(program))
    with pytest.raises(Unavailable) as caught:
        verifying(Binary(program, "5.1.9", 5))
    assert caught.value.code == "no_verifying_ffmpeg"


def test_replay() -> None:
    argv, stdin = command("file:///srv/a%20b.mp4")
    assert argv == (
        f"{TELLING} -format_whitelist flv,h264,hevc,matroska,mov,mpegts -protocol_whitelist file "
        f"-re -stream_loop -1 -i file:/srv/a b.mp4 -map 0:v:0 -f segment -an -c copy {COPIED}"
    )
    assert stdin == ""


def test_pattern() -> None:
    argv, stdin = command("test://?size=321x241&fps=10&gop=20&codec=h264")
    clock = r"drawtext=fontfile=/fonts/Mono.ttf:text='%{gmtime\:%Y-%m-%d %T} UTC  %{n}'"
    tail = SEGMENTS.format(more="-sc_threshold 0 ", last="-threads 1 ")
    assert argv == (
        f"{TELLING} -f lavfi -re -i testsrc2=size=320x240:rate=10,{clock}:fontsize=20:x=8:y=8:box=1"
        ":boxborderw=6 -map 0:v:0 -f segment -an -bf 0 -c:v libx264 -g 20 -keyint_min 20 -pix_fmt yuv420p "
        f"-preset ultrafast {tail}"
    )
    assert stdin == ""


def test_a_folder_cannot_change_the_names_of_segments() -> None:
    argv, _ = command("test://", Path("/spool/100%d/s"))
    assert argv.endswith("/spool/100%%d/s/%06d.raw.mp4")


def test_a_quote_in_a_url_stays_inside_its_entry() -> None:
    _, stdin = command("rtsp://cam/it's?x='")
    assert stdin.splitlines()[1] == r"file 'rtsp://cam/it'\''s?x='\'''"


SECRET = st.text(st.sampled_from("abcXYZ019-._~%41!$&()*+,;="), min_size=4, max_size=20).map(
    lambda text: "s3cr3t" + text.replace("%", "%25")
)


@given(SECRET, SECRET)
def test_secrets_are_in_no_argument_and_in_no_text_for_people(password: str, token: str) -> None:
    url = f"rtsp://admin:{password}@cam.example:554/live?token={token}"
    source = parse_source(url)
    made = record_command(BINARY, source, FOLDER, segment_seconds=10, timeout_us=1)
    assert not any("s3cr3t" in argument for argument in made.argv)
    for text in (
        repr(source),
        repr(made),
        source.redact(f"[rtsp @ 0x1] {url}: 401"),
        source.redact(source.password),
    ):
        assert "s3cr3t" not in text


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://cam/live\nfile '/etc/passwd'",
        "rtsp://cam/with space",
        "rtsp:///no-host",
        "rtsp://cam:notaport/",
        "ftp://cam/live",
        "file://host/path",
        "test://?size=99999x1",
        "test://?fps=0",
        "test://?fps=61",
        "test://?codec=av1",
        "test://?noise=1",
        "udp://10.0.0.7",
        "udp://10.0.0.7:5004/x",
        "udp://10.0.0.7:5004?localport=22",
        "udp://u@10.0.0.7:5004",
        "udp://10.0.0.7:5004#transport=tcp",
        "rtsp://cam/1#transport=sctp",
        "rtsp://cam/1#transport=udp&transport=tcp",
        "rtsp://cam/1#timeout=1",
        "rtsp://cam/1#timeout=61",
        "rtsp://cam/1#timeout=",
        "rtsp://cam/1#timeout=99999999999999999999",
        "rtsp://cam/1#certificate=unverified",
        "rtsps://cam/1#certificate=abc",
        "rtsps://cam/1#transport=udp",
        "rtsp://cam/1#verify=0",
        "rtsp://cam/1#x",
        "rtsp://admin#passwd@cam/1",
        "rtsp://admin#transport=passwd@cam/1",
        "file:///a.mp4#timeout=5",
    ],
)
def test_bad_sources(url: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_source(url)
    assert caught.value.code == "bad_source"
    assert "passwd" not in caught.value.message


def test_what_a_source_says() -> None:
    source = parse_source("rtsps://u:p%40@[::1]/x?y=1")
    assert (source.host, source.port, source.user, source.password) == ("::1", 322, "u", "p@")
    assert (source.target, source.is_live, source.uses_tls) == ("/x?y=1", True, True)
    assert parse_source("file:///a") == Source(
        kind=SourceKind.LOCAL, url="file:///a", scheme="file", path=Path("/a")
    )


def test_what_a_source_says_of_its_connection() -> None:
    source = parse_source("rtsps://u:p@cam/x?y=1#certificate=" + ":".join(["AB"] * 32) + "&timeout=20")
    assert source.url == "rtsps://u:p@cam/x?y=1"
    assert source.connection.fingerprint == "ab" * 32
    assert (source.patience(5), parse_source("rtsp://cam/").patience(5)) == (20, 5)
    shown = shown_source("rtsp://u:s3cr3t@cam/x?token=1#timeout=7&transport=udp")
    assert shown == "rtsp://cam/x#transport=udp&timeout=7"
    assert device_of("rtsp://cam/x#transport=udp") == device_of("rtsp://cam/x")


def test_this_machine_has_an_ffmpeg() -> None:
    found = find_ffmpeg()
    assert found.major >= 5
    assert found.version


def test_a_program_is_asked_once_and_again_when_its_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, asked = tmp_path / "ffmpeg", tmp_path / "asked"

    def install(version: str) -> None:
        program.write_text(f"#!/bin/sh\necho >> {asked}\necho ffmpeg version {version}\n")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    install("6.1")
    assert [find_ffmpeg().version for _ in range(3)] == ["6.1"] * 3
    assert len(asked.read_text().splitlines()) == 1
    install("7.0.2")
    assert find_ffmpeg().version == "7.0.2"
    assert find_ffmpeg().path == program


def jpeg_command(url: str, binary: Binary) -> str:
    made = record_command(
        binary, parse_source(url), FOLDER, segment_seconds=10, timeout_us=5_000_000,
        pictures=JpegPictures(641, 480, 1_700_000_000_000_000),
    )  # fmt: skip
    return " ".join(made.argv)


def test_jpeg_pictures_are_decoded_by_name_and_encoded_once_each_at_their_own_times() -> None:
    argv = jpeg_command("rtsp://10.0.0.7/main", find_ffmpeg())
    before, _, after = argv.partition(" -i pipe:0 ")
    assert "-f concat -c:v mjpeg -format_whitelist concat,rtsp -max_pixels 35651584 -noautorotate " in before
    assert before.endswith("-safe 0 -threads 1")
    for option in (
        "-bf 0", "-c:v libx264", "-crf 18", "-enc_time_base 1:90000", "-tune zerolatency", "-threads 1",
        "-force_key_frames expr:if(isnan(prev_forced_t),1,gte(abs(t-prev_forced_t),2))",
        r"-vf scale=out_range=tv,format=yuv420p,pad=if(eq(iw\,641)*eq(ih\,480)\,642\,1):480",
    ):  # fmt: skip
        assert f" {option} " in after, option
    assert "setts" not in argv, "its times need no marks"


def test_jpeg_pictures_over_http_have_the_times_of_their_arrival() -> None:
    argv = jpeg_command("http://10.0.0.7/video.mjpg", find_ffmpeg())
    assert "-format_whitelist concat,flv,h264,hevc,matroska,mov,mpegts,mpjpeg " in argv
    assert " -vf settb=1/90000,setpts=(RTCTIME-1700000000000000)/(TB*1000000),scale=" in argv


@pytest.mark.parametrize(("major", "option"), [(5, "-vsync"), (6, "-fps_mode"), (9, "-fps_mode")])
def test_no_picture_is_doubled_or_left_out_whatever_ffmpeg_calls_that(major: int, option: str) -> None:
    assert f" {option} passthrough" in jpeg_command(
        "rtsp://10.0.0.7/main", replace(find_ffmpeg(), major=major)
    )


def test_an_ffmpeg_that_cannot_encode_says_so(tmp_path: Path) -> None:
    poor = tmp_path / "ffmpeg"
    poor.write_text("#!/bin/sh\necho \"Codec 'libx264' is not recognized by FFmpeg.\"\n")
    poor.chmod(0o755)
    with pytest.raises(Malformed) as caught:
        jpeg_command("rtsp://10.0.0.7/main", Binary(poor, "5.1", 5))
    assert (caught.value.code, "libx264" in caught.value.message) == ("codec_not_recorded", True)
    copied = record_command(
        Binary(poor, "5.1", 5), parse_source("rtsp://10.0.0.7/main"), FOLDER, segment_seconds=10, timeout_us=1
    )
    assert "-c copy" in " ".join(copied.argv), "other cameras need no encoder"
