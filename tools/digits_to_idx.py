#!/usr/bin/env python3
"""Writes data/digits-{images,labels}.idx*-ubyte from data/digits.csv.gz (64 columns of 0..16, then the label).

The results are committed, so nobody needs to run this; it is here to say where they come from. --check compares
instead of writing.
"""
import gzip
import pathlib
import struct
import sys

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"


def idx(dims, values):
    """IDX: two zero bytes, element type (8 = u8), number of dims, each dim as a big-endian u32, then the elements."""
    return struct.pack(f">BBBB{len(dims)}I", 0, 0, 8, len(dims), *dims) + bytes(values)


def main():
    with gzip.open(DATA / "digits.csv.gz", "rt") as file:
        rows = [[int(float(cell)) for cell in line.split(",")] for line in file if line.strip()]
    for number, row in enumerate(rows, 1):
        if len(row) != 65 or not all(0 <= v <= 16 for v in row[:64]) or not 0 <= row[64] <= 9:
            sys.exit(f"digits.csv.gz:{number}: expected 64 values in 0..16 and a label in 0..9")
    files = {
        "digits-images.idx3-ubyte": idx((len(rows), 8, 8), (v for row in rows for v in row[:64])),
        "digits-labels.idx1-ubyte": idx((len(rows),), (row[64] for row in rows)),
    }
    for name, content in files.items():
        if "--check" not in sys.argv:
            (DATA / name).write_bytes(content)
        elif (DATA / name).read_bytes() != content:
            sys.exit(f"data/{name} is not what digits.csv.gz converts to; run tools/digits_to_idx.py")
    print(f"data: {len(rows)} digits of 8x8")


if __name__ == "__main__":
    main()
