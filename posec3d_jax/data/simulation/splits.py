"""Who is seen from where in which split, and which split each clip number belongs to."""

# split: (performers of, viewpoints of, clips in a block)
SPLITS = {
    "train": ("train", "train", 15),
    "val": ("val", "val", 2),
    "test": ("test", "test", 4),
    "test_performers": ("test", "train", 2),
    "test_views": ("train", "test", 2),
}
BLOCK = [split for split, (_, _, clips) in SPLITS.items() for _ in range(clips)]


def split_of(index: int) -> tuple[str, str, str, int]:
    """Split, performers, viewpoints and number within its split, of clip `index`."""
    block, position = divmod(index, len(BLOCK))
    split = BLOCK[position]
    performers, views, clips = SPLITS[split]
    return split, performers, views, block * clips + position - BLOCK.index(split)


def members(num_clips: int, names) -> dict[str, tuple[str, ...]]:
    """The clips of each split, by name; `names(index)` tells the name of a clip."""
    found = {split: [] for split in SPLITS}
    for index in range(num_clips):
        found[split_of(index)[0]].append(names(index))
    return {split: tuple(clips) for split, clips in found.items()}
