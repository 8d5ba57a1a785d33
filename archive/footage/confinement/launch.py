"""Give up files, network, other processes and privileges, and become a program.

``python -I -S launch.py PARENT_PID CPU_SECONDS MEMORY READABLE PROGRAM ARGS…``, a script that uses only the
standard library. It is a program of its own because Python must not run between fork and exec in a process
with threads. READABLE lists further paths, joined as in ``PATH``, that the program may read and execute from.
With ``--try PATH`` in place of a program it reports which measures are in force, tries to open that path and
to make a socket, and reports the results.

1. All inherited descriptors but the three standard ones are closed; the kernel ends it with its parent.
2. Limits: processor time, memory, no files written, no core dump.
3. Started as root, it becomes *nobody*, if others may execute the program.
4. ``no_new_privs``: no program can regain the rights given up.
5. Landlock: it may read and execute itself and the system's libraries, and nothing else in the file system;
   no TCP port, no abstract socket, no signal to a process outside the confinement.
6. A seccomp filter: no socket at all, no new process, no tracing, no keyring, no io_uring, no mount, no
   change of a file's mode, owner or times, and no system call newer than this list.

On a kernel without 5 or 6 the program runs without them, and ``saksi doctor`` says so. If they are refused
for another reason, the launcher ends with :data:`NOT_CONFINED`: the program never runs unconfined.
Sources: landlock(7), seccomp(2), prctl(2); numbers of <asm/unistd_64.h> and <asm-generic/unistd.h>.
"""

import ctypes
import errno
import importlib
import os
import platform
import resource
import signal
import stat
import struct
import sys
from typing import NoReturn

NOT_CONFINED = 121
NOT_STARTED = 122

_NOBODY = 65534
_LIBRARIES = ("/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib")
_LOADER = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_PATH_BENEATH = 1
_EXECUTE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 2, 1 << 3
_FILE_RIGHTS = ((1, (1 << 13) - 1), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))
"""The rights by the first Landlock version that handles them: refer, truncate and ioctl came later."""
_BIND_AND_CONNECT, _ABSTRACT_SOCKETS_AND_SIGNALS = 3, 3
_LACKING = (errno.ENOSYS, errno.EOPNOTSUPP)

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_YOUNGEST = 467
"""From 424 on all architectures share one list of numbers; newer calls are answered as unknown."""
_X32 = 0x40000000
_CLONE_THREAD = 0x10000
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_REFUSE, _UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
_CLONE, _CLONE3, _TGKILL, _PRLIMIT = (56, 220), (435, 435), (234, 131), (302, 261)

_REFUSED = (
    # sockets, and other ways to connect two programs
    (41, 198), (42, 203), (43, 202), (44, 206), (46, 211), (49, 200), (50, 201), (53, 199), (288, 242),
    (307, 269), (29, 194), (30, 196), (31, 195), (67, 197), (64, 190), (65, 193), (66, 191), (220, 192),
    (68, 186), (69, 189), (70, 188), (71, 187), (240, 180),
    # other processes: fork, vfork, ptrace, their memory and descriptors, signals
    (57, None), (58, None), (101, 117), (310, 270), (311, 271), (312, 272), (424, 424), (434, 434),
    (438, 438), (440, 440), (62, 129), (200, 130), (129, 138), (297, 240),
    # the kernel: io_uring, bpf, perf, userfaultfd, keyrings, modules, clocks, quotas, fanotify
    (425, 425), (426, 426), (427, 427), (321, 280), (298, 241), (323, 282), (248, 217), (249, 218),
    (250, 219), (175, 105), (176, 106), (313, 273), (246, 104), (320, 294), (169, 142), (167, 224),
    (168, 225), (164, 170), (227, 112), (159, 171), (305, 266), (163, 89), (179, 60), (443, 443), (103, 116),
    (172, None), (173, None), (135, 92), (300, 262), (319, 279), (447, 447),
    # mounts and namespaces, and ways to open a file other than its path
    (165, 40), (166, 39), (155, 41), (161, 51), (272, 97), (308, 268), (428, 428), (429, 429), (430, 430),
    (431, 431), (432, 432), (433, 433), (442, 442), (304, 265), (303, 264),
    # a file's mode, owner, times, attributes and length, which Landlock does not guard everywhere
    (90, None), (91, 52), (268, 53), (452, 452), (92, None), (93, 55), (94, None), (260, 54), (132, None),
    (235, None), (261, None), (280, 88), (188, 5), (189, 6), (190, 7), (197, 14), (198, 15), (199, 16),
    (463, 463), (466, 466), (76, 45),
)  # fmt: skip


def main(argv: list[str]) -> NoReturn:
    """Give up rights and become the program; or, with ``--try``, test and report what is still possible."""
    parent, seconds, memory = (int(text) for text in argv[1:4])
    readable, program = [path for path in argv[4].split(os.pathsep) if path], argv[5:]
    trying = program[0] == "--try"
    if trying:
        importlib.import_module("socket")  # while its files are still readable
    landlock, filtered, nobody = confine(
        parent, seconds, memory, [*readable, sys.executable if trying else program[0]]
    )
    if trying:
        report = f"landlock={landlock} seccomp={filtered:d} nobody={nobody:d} {_tried(program[1])}\n"
        os.write(1, report.encode("ascii"))
        os._exit(0)
    try:
        os.execv(program[0], program)  # noqa: S606 - no shell is wanted
    except OSError as error:
        _end(NOT_STARTED, error.strerror or "it could not be executed")


def confine(parent: int, seconds: int, memory: int, readable: list[str]) -> tuple[int, bool, bool]:
    """Steps 1 to 6: the Landlock version (0: none), whether a filter is set, whether it is nobody now."""
    libc = ctypes.CDLL(None, use_errno=True)
    os.closerange(3, 65536)
    _limit(seconds, memory)
    nobody = _become_nobody(readable[-1])
    # The signal is requested after the change of user, which would cancel it.
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        _end(NOT_CONFINED, "the kernel refused the parent-death signal")
    if os.getppid() != parent:
        _end(NOT_STARTED, "the process that started it is gone")
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        _end(NOT_CONFINED, "the kernel refused no_new_privs")
    return _close_files(libc, readable), _filter_calls(libc), nobody


def _limit(seconds: int, memory: int) -> None:
    for name, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        hard = resource.getrlimit(name)[1]
        resource.setrlimit(name, (most, most) if hard < 0 else (min(most, hard), min(most, hard)))


def _become_nobody(program: str) -> bool:
    if os.geteuid() != 0 or not _others_may_execute(os.path.realpath(program)):
        return False
    os.setgroups([])
    os.setresgid(_NOBODY, _NOBODY, _NOBODY)
    os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    return True


def _others_may_execute(path: str) -> bool:
    try:
        while path != "/":
            if not os.stat(path).st_mode & stat.S_IXOTH:
                return False
            path = os.path.dirname(path)
    except OSError:
        return True  # it does not exist; executing it will report that
    return True


def _close_files(libc: ctypes.CDLL, readable: list[str]) -> int:
    """Step 5; the Landlock version, 0 if the kernel has none."""
    version = int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1))
    if version < 0:
        if ctypes.get_errno() in _LACKING:
            return 0
        _end(
            NOT_CONFINED,
            f"Landlock is refused here ({os.strerror(ctypes.get_errno())}): allow its system calls",
        )
    rights = sum(some for since, some in _FILE_RIGHTS if version >= since)
    ports = _BIND_AND_CONNECT if version >= 4 else 0
    scopes = _ABSTRACT_SOCKETS_AND_SIGNALS if version >= 6 else 0
    wanted = struct.pack("=QQQ", rights, ports, scopes)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    rules = int(libc.syscall(_CREATE_RULESET, wanted, ctypes.c_size_t(len(wanted)), 0))
    if rules < 0:
        _end(NOT_CONFINED, f"Landlock created no ruleset: {os.strerror(ctypes.get_errno())}")
    for path in (*_LIBRARIES, *_LOADER, *readable):
        _allow(libc, rules, path, _EXECUTE | _READ_FILE | _READ_DIR)
    for path in _DEVICES:
        _allow(libc, rules, path, _READ_FILE)
    if libc.syscall(_RESTRICT_SELF, rules, 0) != 0:
        _end(NOT_CONFINED, f"Landlock did not apply the ruleset: {os.strerror(ctypes.get_errno())}")
    os.close(rules)
    return version


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # a path that does not exist needs no right
    if not stat.S_ISDIR(os.fstat(place).st_mode):
        rights &= ~_READ_DIR
    rule = struct.pack("=Qi", rights, place)
    if libc.syscall(_ADD_RULE, rules, _PATH_BENEATH, rule, 0) != 0:
        _end(NOT_CONFINED, f"Landlock refused a rule: {os.strerror(ctypes.get_errno())}")
    os.close(place)


def _filter_calls(libc: ctypes.CDLL) -> bool:
    """Step 6; whether a filter is in force: not on other architectures, nor if the kernel has none."""
    known = _ARCHITECTURES.get(platform.machine())
    if known is None or sys.byteorder != "little":
        return False
    code = b"".join(struct.pack("=HBBI", *one) for one in _filter(*known, own=os.getpid()))
    held = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(held))
    if libc.prctl(_PR_SET_SECCOMP, 2, program, 0, 0) != 0:
        if ctypes.get_errno() in (*_LACKING, errno.EINVAL):
            return False
        _end(NOT_CONFINED, f"the kernel refused the filter: {os.strerror(ctypes.get_errno())}")
    return True


def _filter(audit: int, column: int, *, own: int) -> list[tuple[int, int, int, int]]:
    """The filter as instructions (code, jump if true, jump if false, operand) of classic BPF."""
    load, equal, at_least, any_of, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    nr, architecture, first = 0, 4, 16

    def answers(number: int, what: int) -> list[tuple[int, int, int, int]]:
        return [(equal, 0, 1, number), (answer, 0, 0, what)]

    def only_with(call: tuple[int, int], test: int, operand: int) -> list[tuple[int, int, int, int]]:
        """Allow the call if its first argument passes; then load the number again for the next test."""
        return [
            (equal, 0, 4, call[column]),
            (load, 0, 0, first),
            (test, 0, 1, operand),
            (answer, 0, 0, _ALLOW),
            (answer, 0, 0, _REFUSE),
        ]

    made = [(load, 0, 0, architecture), (equal, 1, 0, audit), (answer, 0, 0, _KILL), (load, 0, 0, nr)]
    if column == 0:
        made += [(at_least, 0, 1, _X32), (answer, 0, 0, _KILL)]
    made += [(at_least, 0, 1, _YOUNGEST), (answer, 0, 0, _UNKNOWN)]
    made += answers(_CLONE3[column], _UNKNOWN)  # no filter sees its flags: libc then uses clone
    made += only_with(_CLONE, any_of, _CLONE_THREAD)
    made += only_with(_TGKILL, equal, own)
    made += only_with(_PRLIMIT, equal, 0)
    for call in _REFUSED:
        number = call[column]
        if number is not None:
            made += answers(number, _REFUSE)
    return [*made, (answer, 0, 0, _ALLOW)]


def _tried(path: str) -> str:
    reads = connects = True
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        reads = False
    socket = importlib.import_module("socket")
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()
    except OSError:
        connects = False
    return f"reads={reads:d} connects={connects:d}"


def _end(code: int, why: str) -> NoReturn:
    os.write(2, f"{why}\n".encode("ascii", "replace"))
    os._exit(code)


if __name__ == "__main__":
    main(sys.argv)
