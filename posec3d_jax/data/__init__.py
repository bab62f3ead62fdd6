"""Records, readers, storage, sampling and the input pipeline: everything on the host."""
