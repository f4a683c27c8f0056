"""Who may reach a server of TensorFlow's: it listens on all addresses and has no say in that.

Linux has: a socket takes a filter of packets (classic BPF, `man 7 socket`) from anyone who owns it.
What is sent to another address of this machine then gets no answer, as if nobody listened.
"""

import contextlib
import ctypes
import ipaddress
import os
import socket
import stat
import struct

SO_ATTACH_FILTER = 26  # asm-generic/socket.h; Python has no name for it
LOAD_HALF, LOAD_WORD, JUMP_EQUAL, RETURN = 0x28, 0x20, 0x15, 0x06  # linux/bpf_common.h
NETWORK_HEADER, PROTOCOL = 0xFFF00000, 0xFFFFF000  # linux/filter.h: where negative offsets lead
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
DESTINATION = {4: 16, 6: 24}  # its offset in the header of a packet
WHOLE, NOTHING = 0xFFFFFFFF, 0  # bytes of a packet to let through


@contextlib.contextmanager
def only_at(address: str):
    """Every socket that begins to listen inside answers at this address of the machine's alone.

    From the end of the block on: some milliseconds after the server's start. OSError where the
    system has no such filters.
    """
    before = listening()
    yield
    for number in listening() - before:
        confine(number, address)


def listening() -> set[int]:
    """The file descriptors at which this process listens."""
    found = set()
    for number in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue  # which `socket` would refuse, and leave its copy open
            with socket.socket(fileno=os.dup(number)) as own:
                if own.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    found.add(number)
    return found


def confine(number: int, address: str) -> None:
    """Lets packets to this address alone through to the socket of a file descriptor."""
    code = accepting(address)
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in code))
    described = struct.pack("HP", len(code), ctypes.addressof(program))
    with socket.socket(fileno=os.dup(number)) as own:
        own.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, described)


def accepting(address: str) -> list[tuple[int, int, int, int]]:
    """The filter, as (operation, steps if true, steps if false, operand)."""
    wanted = ipaddress.ip_address(address)
    words = struct.unpack(f">{len(wanted.packed) // 4}I", wanted.packed)
    start = NETWORK_HEADER + DESTINATION[wanted.version]
    looks = [(LOAD_HALF, PROTOCOL, ETHERTYPE[wanted.version])]
    looks += [(LOAD_WORD, start + 4 * i, word) for i, word in enumerate(words)]
    code = []
    for left, (load, where, expected) in zip(range(len(looks) - 1, -1, -1), looks, strict=True):
        code += [(load, 0, 0, where), (JUMP_EQUAL, 0, 2 * left + 1, expected)]
    return [*code, (RETURN, 0, 0, WHOLE), (RETURN, 0, 0, NOTHING)]
