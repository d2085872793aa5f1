"""Rival: a plain Python reader (no protobuf package needed) that walks the frames and counts contracts by template."""
import collections
import gzip
import sys


def varint(buf, pos):
    value = shift = 0
    while True:
        byte = buf[pos]
        pos += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, pos
        shift += 7


def field(buf, pos, end, number):
    """Borders of a length-delimited field, or (0, 0)."""
    while pos < end:
        tag, pos = varint(buf, pos)
        kind = tag & 7
        if kind == 2:
            size, pos = varint(buf, pos)
            if tag >> 3 == number:
                return pos, pos + size
            pos += size
        elif kind == 0:
            _, pos = varint(buf, pos)
        elif kind == 1:
            pos += 8
        else:
            pos += 4
    return 0, 0


counts = collections.Counter()
with gzip.open(sys.argv[1], "rb") as stream:
    buf, pos = b"", 0
    while True:
        chunk = stream.read(1 << 20)
        if not chunk:
            break
        buf, pos = buf[pos:] + chunk, 0
        while len(buf) - pos > 5:
            size, start = varint(buf, pos)
            if start + size > len(buf):
                break
            a, b = start, start + size
            for number in (1, 1, 1, 4):
                a, b = field(buf, a, b, number)
            counts[buf[a:b]] += 1
            pos = start + size
print(sum(counts.values()), len(counts))
