"""The inside of a model file: how its arrays and its JSON are unpacked when nobody knows who wrote it.

Sizes come first. Nothing is unpacked that is larger than its packed size warrants, every array is a view of the one
block of bytes that was read, and JSON holds no more values than settings can have.
"""

import io
import json
import math
import zipfile
from typing import IO, Any

import numpy as np
from safetensors.numpy import save as save_arrays

ARRAYS, TEXT = "arrays.safetensors", "model.json"
FREE = 2**24  # bytes of arrays that any file may unpack to
MOST_RATIO = 100  # bytes of arrays for each byte of a larger file; `pack` stores uncompressed what would be more
MOST_TEXT, MOST_HEADER = 2**22, 2**20  # bytes of JSON, and of the header of the arrays
MOST_VALUES = 2**17  # values in either
DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?",
}  # fmt: skip


def pack(arrays: dict[str, np.ndarray], description: dict[str, Any]) -> bytes:
    """Return a zip of arrays and JSON."""
    ordered = {k: v if v.flags.c_contiguous else v.copy() for k, v in arrays.items()}  # keeps 0-d arrays as they are
    text, block = json.dumps(description, indent=1), save_arrays(ordered)
    content = zipped(text, block, zipfile.ZIP_DEFLATED)
    return content if len(block) <= most_unpacked(len(content)) else zipped(text, block, zipfile.ZIP_STORED)


def zipped(text: str, block: bytes, method: int) -> bytes:
    """Return a zip of a text and a block of arrays."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as file:
        file.writestr(TEXT, text)
        file.writestr(ARRAYS, block)
    return content.getvalue()


def most_unpacked(packed: int) -> int:
    """Return how many bytes of arrays a file of so many bytes may unpack to."""
    return max(FREE, MOST_RATIO * packed)


def unpack(stream: IO[bytes]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays (read-only views) and the description in a zip.

    Raises:
        ValueError: a size is out of proportion, or something is not what `pack` writes.
        zipfile.BadZipFile: it is no zip, or a checksum is wrong.
    """
    size = stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream) as file:
        if sorted(file.namelist()) != [ARRAYS, TEXT]:
            raise ValueError(f"it holds {file.namelist()!s:.80}, not {ARRAYS} and {TEXT}")
        description = json_of(member(file, TEXT, MOST_TEXT))
        return arrays_of(member(file, ARRAYS, most_unpacked(size))), description


def member(file: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Unpack one member of a zip, of `most` bytes or less."""
    info = file.getinfo(name)
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others unpack in one piece
        raise ValueError(f"{name} is packed by method {info.compress_type}")
    if info.file_size > most:
        raise ValueError(f"{name} would unpack to {info.file_size} bytes, of which {most} are allowed")
    with file.open(info) as stream:
        content = stream.read(info.file_size)  # unpacks no more, whatever the stream holds
    if len(content) != info.file_size:
        raise ValueError(f"{name} ends early")
    return content


def json_of(text: bytes) -> dict[str, Any]:
    """Return the JSON object in a text of few values."""
    values = sum(text.count(sign) for sign in (b",", b"[", b"{"))
    if values > MOST_VALUES:
        raise ValueError(f"its JSON holds about {values} values, of which {MOST_VALUES} are allowed")
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("its JSON is no object")
    return content


def arrays_of(block: bytes) -> dict[str, np.ndarray]:
    """Return the arrays in a block of safetensors: read-only views of it, by name.

    Source of the format: https://huggingface.co/docs/safetensors.
    """
    length = int.from_bytes(block[:8], "little")
    if length > min(MOST_HEADER, len(block) - 8):
        raise ValueError(f"the header of the arrays would have {length} bytes")
    header, numbers = json_of(block[8 : 8 + length]), memoryview(block)[8 + length :]
    header.pop("__metadata__", None)
    arrays = {name: view(numbers, **entry) for name, entry in header.items()}
    stored = sum(array.nbytes for array in arrays.values())
    if stored != len(numbers):
        raise ValueError(f"the arrays have {stored} bytes, and {len(numbers)} are stored")
    return arrays


def view(numbers: memoryview, dtype: str, shape: list[int], data_offsets: list[int]) -> np.ndarray:
    """Return one array of a block."""
    begin, end = data_offsets
    if not all(type(number) is int and 0 <= number < 2**48 for number in [*shape, begin, end]):
        raise ValueError(f"an array of shape {shape!s:.80} cannot be")
    kind = np.dtype(DTYPES[dtype])
    if math.prod(shape) * kind.itemsize != end - begin:
        raise ValueError(f"an array of shape {shape!s:.80} has {end - begin} bytes")
    return np.ndarray(shape, kind, numbers, begin)
