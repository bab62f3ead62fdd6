"""A worker that a video can bring down; a file of its own, which a new process loads quickly."""

import os


def open_crashing(place):
    return _crashing


def _crashing(job, out):
    if job.name == "bad":
        os._exit(3)
    return {"name": job.name, "process": os.getpid()}
