"""What a file really is, by its first bytes and not by its name; and what to do with it."""

import json
import zipfile
import zlib
from pathlib import Path

_HEAD = 4096  # bytes that are looked at
_BEGINNINGS = (
    (b"version https://git-lfs", "a pointer of Git LFS, and not the file: `git lfs pull` gets it"),
    (b"\x1f\x8b", "gzip: unpack it with `gunzip` (a .tar.gz with `tar xzf`)"),
    (b"BZh", "bzip2: unpack it with `bunzip2`"),
    (b"\xfd7zXZ\x00", "xz: unpack it with `unxz`"),
    (b"\x28\xb5\x2f\xfd", "zstd: unpack it with `unzstd`"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it"),
    (b"Rar!", "a RAR archive: unpack it"),
    (b"\x93NUMPY", "an .npy array"),
    (b"\x89HDF\r\n\x1a\n", "HDF5 (.h5, or a .mat of MATLAB 7.3: save it again with '-v7')"),
    (b"MATLAB 5.0", "a .mat of MATLAB 5"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"PAR1", "a Parquet table"),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM)"),
    (b"SQLite format 3", "an SQLite data base"),
    (b"\x7fELF", "a program"),
    (b"\xff\xfe", "text in UTF-16 (Notepad, PowerShell): save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16: save it as UTF-8"),
)
CUT_ZIP = "a zip archive (.npz, .pth or other) that was cut short or damaged: copy it again"
_READERS = {  # what is read, and where
    "an .npz of arrays": "a clip of the directory format (config.data.format 'directory', or "
    "`posec3d predict --input`), or NTU60_CS.npz and its like (format 'ntu_rgbd')",
    "JSON": "the directory format or a pose estimator's (config.data.format)",
    "a PyTorch checkpoint": "weights: `posec3d import-weights FILE --config=... --out=...`",
    "a PyTorch checkpoint of before 1.6": "weights: `posec3d import-weights FILE`",
    "safetensors": "weights: `posec3d import-weights FILE --config=... --out=...`",
    "a pickle": "annotations: config.data.format 'pyskl', or load it yourself and save arrays",
    "NTU RGB+D's .skeleton text": "config.data.format 'ntu_rgbd', with its folder as the source",
    "a .mat of MATLAB 5": "config.data.format 'penn_action' or 'utd_mhad_kinect'",
    "a folder": "config.data.source of the formats that are folders, or `predict --input=FOLDER`",
}


_ZIPS = ("an .npz of arrays", "a PyTorch checkpoint")


def kind_of(path: Path) -> str:
    """A few words: 'gzip: unpack it with ...', 'a folder', 'text'; never fails, runs nothing."""
    path = Path(path)
    if path.is_dir():
        return "a folder"
    if not path.is_file():
        return "no regular file" if path.exists() or path.is_symlink() else "not there"
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        return f"unreadable ({error.strerror})"
    if not head:
        return "empty (0 bytes), as after a download that was truncated: get it again"
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    if head[257:262] == b"ustar":
        return "a tar archive: unpack it with `tar xf`"
    if head[4:8] == b"ftyp":
        return "a video (MP4 or QuickTime)"
    if head.startswith(b"RIFF"):
        return "a video (AVI)" if head[8:12] == b"AVI " else "a RIFF file (sound or picture)"
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        # The magic number that torch.save wrote first, until PyTorch 1.6.
        old = b"l\xfc\x9cF\xf9 j\xa8P\x19" in head[:32]
        return "a PyTorch checkpoint of before 1.6" if old else "a pickle"
    if _is_safetensors(head):
        return "safetensors"
    return _kind_of_text(head)


def advice(path: Path, wanted: str) -> str:
    """What the file really is and who reads it, as the end of a message; '' if it is `wanted`.

    Args:
      path: of the file that could not be read.
      wanted: words of `kind_of` for what was expected.
    """
    kind = kind_of(path)
    if kind == wanted or (kind == CUT_ZIP and wanted in _ZIPS):
        return ""
    reader = f", which is read as {_READERS[kind]}" if kind in _READERS else ""
    return f"It is {kind}{reader}"


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:1000]
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error, NotImplementedError):
        return CUT_ZIP
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return "a PyTorch checkpoint"
    if names and all(name.endswith(".npy") for name in names):
        return "an .npz of arrays"
    if "[Content_Types].xml" in names:
        return "an Office document"
    return f"a zip archive (of {', '.join(names[:3])[:100] or 'nothing'}): unpack it"


def _is_safetensors(head: bytes) -> bool:
    return head[8:10] in (b'{"', b"{}") and 2 <= int.from_bytes(head[:8], "little") < 1 << 30


def _kind_of_text(head: bytes) -> str:
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:  # a character may be cut in two at the end
            return f"a binary file of no known kind (it begins with {head[:8]!r})"
        text = head[: error.start].decode("utf-8-sig")
    start = text.lstrip()
    if start[:15].lower().startswith(("<!doctype html", "<html")):
        return "a web page: the download got a page for people, perhaps a login or an error"
    if start.startswith("<?xml"):
        return "XML"
    if start[:1] in ("{", "["):
        return "JSON"
    if _is_skeleton(text):
        return "NTU RGB+D's .skeleton text"
    if "\x00" in text:
        return f"a binary file of no known kind (it begins with {head[:8]!r})"
    first = start.split("\n", 1)[0].strip()
    if first.count(",") > 1 or first.count("\t") > 1:
        return f"a table in text (its first line: {json.dumps(first[:60])})"
    return f"text (its first line: {json.dumps(first[:60])})"


def _is_skeleton(text: str) -> bool:
    """Frames, bodies, then a body's ten facts, then 25 (joints): as in the data set's files."""
    lines = [line.split() for line in text.splitlines()[:60] if line.strip()]
    if len(lines) < 2 or any(len(line) != 1 or not line[0].isdigit() for line in lines[:2]):
        return False
    following = next((line for line in lines[2:] if len(line) > 1), [])
    return len(following) in (0, 10)
