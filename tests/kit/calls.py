# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, the pam_twilio_verify authors
"""System calls by name, of every architecture that libseccomp knows. Standard library only."""

import ctypes
import functools
import pathlib
import re

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "pam_module/check/filter-rules.c"

# By these somebody who took the check program over would get further.
NEVER = """
    accept accept4 acct add_key adjtimex bpf capset chdir chmod chown chroot clock_adjtime
    clock_settime clone3 close_range copy_file_range creat delete_module execve execveat
    fanotify_init fchdir fchmod fchmodat fchown fchownat finit_module fork fsconfig fsetxattr
    fsmount fsopen get_mempolicy init_module inotify_init inotify_init1 io_setup io_submit
    io_uring_enter io_uring_register io_uring_setup ioperm iopl ioprio_set kcmp kexec_file_load
    kexec_load keyctl kill landlock_create_ruleset link linkat listen lookup_dcookie mbind
    memfd_create memfd_secret migrate_pages mkdir mkdirat mknod mknodat modify_ldt mount
    mount_setattr move_mount move_pages mq_notify mq_open msgctl msgget msgsnd name_to_handle_at
    nfsservctl open_by_handle_at open_tree openat2 perf_event_open personality pidfd_getfd
    pidfd_open pidfd_send_signal pivot_root pkey_mprotect prctl prlimit64 process_madvise
    process_mrelease process_vm_readv process_vm_writev ptrace quotactl reboot remap_file_pages
    rename renameat renameat2 request_key rmdir rt_sigqueueinfo rt_tgsigqueueinfo
    sched_setaffinity sched_setattr sched_setparam sched_setscheduler seccomp semget semop
    sendfile set_mempolicy setdomainname setfsgid setfsuid setgid setgroups sethostname setns
    setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid settimeofday setuid
    setxattr shmat shmctl shmget signalfd signalfd4 splice swapoff swapon symlink symlinkat syslog
    tee tgkill timer_create timer_settime tkill truncate umask umount2 unlink unlinkat unshare
    userfaultfd ustat utime utimensat utimes vfork vhangup vmsplice""".split()

_libseccomp = ctypes.CDLL("libseccomp.so.2")


def architecture(name):
    """The kernel's number for an architecture."""
    number = _libseccomp.seccomp_arch_resolve_name(name.encode()) & 0xffffffff
    assert number != 0, f"libseccomp does not know {name}"
    return number


NATIVE = _libseccomp.seccomp_arch_native() & 0xffffffff


def _resolve(where, number):
    resolve = _libseccomp.seccomp_syscall_resolve_num_arch
    resolve.restype = ctypes.c_char_p
    return resolve(ctypes.c_uint32(where), number)


@functools.cache
def numbers(where=NATIVE):
    """{name: number} of the system calls of an architecture."""
    names = ((_resolve(where, number), number) for number in range(7000))
    return {name.decode(): number for name, number in names if name}


def allowed():
    """The names in the filter's source whose arguments do not matter."""
    rules = re.findall(r'^    \{ ("[^,{}]+") \},', SOURCE.read_text(encoding="utf-8"), re.MULTILINE)
    return {call for rule in rules for call in re.findall(r"\w+", rule)}
