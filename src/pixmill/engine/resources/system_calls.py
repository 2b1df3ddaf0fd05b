"""The system calls that no decoder, encoder or writer of outputs needs, with their numbers by architecture (Linux headers)."""

import msgspec


class SystemCall(msgspec.Struct, frozen=True, array_like=True):
    """The number of a call on each architecture; -1 where there is none. On both, calls since Linux 5.1 have one number."""

    x86_64: int
    aarch64: int


def _both(number: int) -> SystemCall:
    return SystemCall(number, number)


#: new connections; what was open before stays usable
NETWORK = {
    "socket": SystemCall(41, 198), "socketpair": SystemCall(53, 199), "connect": SystemCall(42, 203), "bind": SystemCall(49, 200),
    "listen": SystemCall(50, 201), "accept": SystemCall(43, 202), "accept4": SystemCall(288, 242),
}  # fmt: skip
#: times of files, which only outputs with ``--preserve mtime`` need
TIMES = {
    "utime": SystemCall(132, -1), "utimes": SystemCall(235, -1), "futimesat": SystemCall(261, -1), "utimensat": SystemCall(280, 88),
}  # fmt: skip
#: what nothing in a worker needs: other programs, owners and attributes of files, other processes, keys, mounts, the kernel
ALWAYS = {
    "execve": SystemCall(59, 221), "execveat": SystemCall(322, 281),
    "chmod": SystemCall(90, -1), "fchmod": SystemCall(91, 52), "fchmodat": SystemCall(268, 53), "fchmodat2": _both(452),
    "chown": SystemCall(92, -1), "fchown": SystemCall(93, 55), "lchown": SystemCall(94, -1), "fchownat": SystemCall(260, 54),
    "setxattr": SystemCall(188, 5), "lsetxattr": SystemCall(189, 6), "fsetxattr": SystemCall(190, 7), "setxattrat": _both(463),
    "removexattr": SystemCall(197, 14), "lremovexattr": SystemCall(198, 15), "fremovexattr": SystemCall(199, 16),
    "removexattrat": _both(466),
    "ptrace": SystemCall(101, 117), "process_vm_readv": SystemCall(310, 270), "process_vm_writev": SystemCall(311, 271),
    "process_madvise": _both(440), "kcmp": SystemCall(312, 272), "pidfd_open": _both(434), "pidfd_getfd": _both(438),
    "pidfd_send_signal": _both(424), "tkill": SystemCall(200, 130), "rt_sigqueueinfo": SystemCall(129, 138),
    "rt_tgsigqueueinfo": SystemCall(297, 240),
    "add_key": SystemCall(248, 217), "request_key": SystemCall(249, 218), "keyctl": SystemCall(250, 219),
    "mount": SystemCall(165, 40), "umount2": SystemCall(166, 39), "pivot_root": SystemCall(155, 41), "chroot": SystemCall(161, 51),
    "open_tree": _both(428), "move_mount": _both(429), "fsopen": _both(430), "fsconfig": _both(431), "fsmount": _both(432),
    "fspick": _both(433), "mount_setattr": _both(442), "unshare": SystemCall(272, 97), "setns": SystemCall(308, 268),
    "name_to_handle_at": SystemCall(303, 264), "open_by_handle_at": SystemCall(304, 265), "quotactl": SystemCall(179, 60),
    "quotactl_fd": _both(443), "swapon": SystemCall(167, 224), "swapoff": SystemCall(168, 225), "acct": SystemCall(163, 89),
    "bpf": SystemCall(321, 280), "perf_event_open": SystemCall(298, 241), "userfaultfd": SystemCall(323, 282),
    "init_module": SystemCall(175, 105), "finit_module": SystemCall(313, 273), "delete_module": SystemCall(176, 106),
    "kexec_load": SystemCall(246, 104), "kexec_file_load": SystemCall(320, 294), "reboot": SystemCall(169, 142),
    "settimeofday": SystemCall(164, 170), "clock_settime": SystemCall(227, 112), "clock_adjtime": SystemCall(305, 266),
    "sethostname": SystemCall(170, 161), "setdomainname": SystemCall(171, 162), "syslog": SystemCall(103, 116),
    "iopl": SystemCall(172, -1), "ioperm": SystemCall(173, -1), "personality": SystemCall(135, 92),
}  # fmt: skip
#: a library that finds none of these falls back to the calls that they would replace
UNKNOWN = {"io_uring_setup": _both(425), "io_uring_enter": _both(426), "io_uring_register": _both(427)}
#: signals, which a process may send to itself: the first argument is a process
SIGNALS = {"kill": SystemCall(62, 129), "tgkill": SystemCall(234, 131)}
#: limits, which a process may lower for itself: the first argument is a process, or 0
LIMITS = {"prlimit64": SystemCall(302, 261)}
