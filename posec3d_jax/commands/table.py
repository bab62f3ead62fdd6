"""Every command of `posec3d`, in the order in which the help lists them.

To add one: a row here, and a module posec3d_jax/commands/<name>.py with `def run(request: Request)`
(see request.py) that imports what it needs inside the function, calls the Python API with
`request.options.<flag>`, `request.need("<flag>")`, `request.config` and `request.arguments`, and
prints. Errors for people are ValueError or OSError; they end the program with one line. The help,
the checks of flags and the suggestions come from the row.
"""

from posec3d_jax.commands.request import Command, Flag, PathText, PlaceText

WORKDIR = Flag("workdir", PlaceText, "", "Directory of the run.")
MODEL = Flag("workdir", PlaceText, "", "Directory of the run; '' for the model in the package.")
EXPORTED = Flag(
    "exported",
    PathText,
    "",
    "A file of `posec3d export` (.onnx) instead of a run: ready at once, in ONNX Runtime.",
)
CHECKPOINT = Flag("checkpoint", PathText, "latest", "'latest', 'best', a step, or a folder.")
RECORD = Flag("record", PathText, "", "JSON file for the result and its origin.")
OUT = Flag("out", PathText, "", "Where to write.")
OUT_RUN = Flag("out", PlaceText, "", "Directory to write.")

# What every command takes.
COMMON = (
    Flag("multihost", bool, None, "Join the other processes of a TPU pod or Slurm job."),
    Flag("coordinator", str, "", "Join them elsewhere: host:port of process 0."),
    Flag("num_processes", int, None, "With --coordinator: how many processes there are."),
    Flag("process_id", int, None, "With --coordinator: number of this process, from 0."),
    Flag("join_timeout", float, 300.0, "Seconds to wait for the other processes."),
    Flag("traceback", bool, False, "Show where in the program an error was raised."),
)

COMMANDS = (
    Command(
        "prepare",
        "annotation files -> a data set on disk",
        config="file",
        flags=(
            Flag("skip_bad", bool, False, "Leave bad samples out instead of refusing."),
            Flag("overwrite", bool, False, "Replace the data set that is there."),
            Flag(
                "frames",
                int,
                0,
                "Also store the videos' frames, as JPEGs of this short side; 0: decode them.",
            ),
        ),
    ),
    Command(
        "inspect",
        "what is in a data set, and pictures of it",
        config="file",
        flags=(
            Flag("data_dir", PlaceText, "", "A prepared data set, instead of the config's."),
            Flag("out", PathText, "", "Folder for pictures of clips; '' for none."),
            Flag("split", str, "", "Whose clips to draw; '' for config.data.test_split."),
            Flag("clips", list, [], "Names of clips to draw."),
            Flag("draw", int, 4, "How many clips to draw if none are named."),
        ),
    ),
    Command(
        "extract",
        "videos -> everybody's keypoints, as a folder that `prepare` reads",
        arguments="VIDEO|FOLDER ...",
        flags=(
            OUT,
            Flag(
                "estimator",
                str,
                "thunder",
                "thunder (exact), lightning (fast), multipose (one pass), FILE.onnx, rtmlib, or "
                "DETECTOR.onnx+thunder and the like; thunder:onnxruntime is faster on a CPU.",
            ),
            Flag("heatmaps", bool, False, "Also keep the estimator's heatmaps, beside the clips."),
            Flag("every", int, 1, "Take each n-th frame."),
            Flag("search_every", int, 10, "Of those: search the whole picture in each n-th."),
            Flag("shortest", int, 3, "Leave out people seen in fewer frames."),
            Flag("segment", float, 0.0, "Seconds of a clip; 0: a video is one clip."),
            Flag("labels", PathText, "", "CSV file `video,label[,split]`; '': label 0 for all."),
            Flag("shard", str, "1/1", "2/8: of every eight videos the second, for 8 machines."),
            Flag("workers", int, 0, "Processes; 0: one a core, or an accelerator."),
            Flag(
                "beam",
                str,
                None,
                "Let Apache Beam do the work, with these options of its own; '': here.",
            ),
            Flag(
                "pickle", PathText, "", "Also write PYSKL's annotation file, of all that is done."
            ),
        ),
    ),
    Command(
        "train",
        "train, or resume a run",
        config="run",
        flags=(
            WORKDIR,
            Flag("resume_anyway", bool, False, "Go on though config, data or code differ."),
        ),
    ),
    Command(
        "evaluate",
        "test a run; prints and stores metrics",
        config="run",
        flags=(
            WORKDIR,
            CHECKPOINT,
            Flag("split", str, "", "Of the data set; '' for config.data.test_split."),
            Flag(
                "protocol", str, "both", "One clip, many clips (x flip).", ("both", "one", "many")
            ),
            RECORD,
        ),
    ),
    Command("report", "an HTML page of a run", flags=(WORKDIR,)),
    Command(
        "fuse",
        "add up saved scores of several streams",
        arguments="SCORES SCORES ...",
        flags=(
            Flag("weights", list, [], "One weight a stream; none: equal."),
            OUT_RUN,
            RECORD,
        ),
    ),
    Command(
        "predict",
        "recognise clips: a file or folder of any form that the readers read",
        flags=(
            MODEL,
            EXPORTED,
            CHECKPOINT,
            Flag(
                "input",
                PathText,
                "",
                "A clip (.npz, .json, .pkl, ...), or a folder.",
            ),
            Flag(
                "videos",
                PathText,
                "",
                "For networks of RGB: the clip's video, or the folder of the clips'.",
            ),
            Flag("out", PathText, "", "Also write them to this .csv or .json file."),
            Flag("protocol", str, "one", "One clip, or many clips (x flip).", ("one", "many")),
        ),
    ),
    Command(
        "recognise",
        "labels over time: who does what in a video, a camera's picture, or a file of poses",
        arguments="VIDEO|CAMERA|POSES",
        flags=(
            MODEL,
            EXPORTED,
            CHECKPOINT,
            Flag("out", PathText, "", "Folder for events, timeline and overlay; '' for none."),
            Flag("window", str, "2s", "What one label is made of."),
            Flag("step", str, "0.5s", "From one window to the next."),
            Flag("whole", bool, False, "Label everybody together instead of person by person."),
            Flag("least_score", float, 0.0, "Below this probability nothing is said."),
            Flag("overlay", bool, True, "Draw what was found on the video."),
            Flag("every", int, 1, "Look at every n-th frame of a video."),
            Flag(
                "estimator",
                str,
                "",
                "As of extract; '' for thunder, live for lightning.",
            ),
            Flag("stream", bool, False, "Play a file at its own speed, as a camera would."),
            Flag("label_rate", float, 10.0, "Live: labels a second."),
            Flag("rate", float, 30.0, "Of poses: frames a second of their video."),
            Flag("frame_size", str, "", "Of poses: HEIGHTxWIDTH where the file does not say."),
            Flag("tool", str, "", "Of poses: whose file; '' to tell from the file."),
            Flag("layout", str, "", "Of poses: the joints, where not the tool's default."),
        ),
    ),
    Command("summary", "layers, parameters and multiply-adds", config="run", flags=(WORKDIR,)),
    Command(
        "import-weights",
        "a PYSKL or mmaction2 checkpoint (.pth, .safetensors) -> a run to start from",
        arguments="FILE",
        config="file",
        flags=(OUT_RUN,),
    ),
    Command(
        "export-weights",
        "a run's weights under the same names",
        config="run",
        flags=(WORKDIR, CHECKPOINT, OUT),
    ),
    Command(
        "weights",
        "published checkpoints: a list, or one downloaded and imported",
        arguments="list [WORDS] | get NAME | get movenet",
        config="file",
        flags=(
            OUT_RUN,
            Flag("from", PathText, "", "get: the checkpoint's file, where there is no network."),
        ),
    ),
    Command(
        "export",
        "a run as one file that works without the package (ONNX, StableHLO)",
        config="run",
        flags=(
            MODEL,
            CHECKPOINT,
            OUT,
            Flag(
                "format",
                str,
                "onnx",
                "Of the file; page: a folder for browsers.",
                ("onnx", "stablehlo", "page"),
            ),
            Flag("protocol", str, "one", "One clip, or many clips (x flip).", ("one", "many")),
            Flag("persons", int, 0, "That it takes; 0 for as many as in training."),
            Flag("batch", int, 0, "Clips that it takes at once; 0 for any number."),
            Flag("data_dir", PlaceText, "", "The run's data set; '' for where the config says."),
            Flag("runtime", PathText, "", "page: onnxruntime-web's .tgz; '' lets npm fetch it."),
        ),
    ),
    Command(
        "serve",
        "an HTTP service of a run, with a page to try it on",
        flags=(
            MODEL,
            EXPORTED,
            CHECKPOINT,
            Flag("protocol", str, "one", "One clip, or many clips (x flip).", ("one", "many")),
            Flag("host", str, "127.0.0.1", "Address; others than this machine need a token."),
            Flag("port", int, 8000, "Port."),
            Flag("estimator", str, "", "As of recognise; 'none': keypoints only, no videos."),
        ),
    ),
    Command(
        "configs",
        "the packaged configs; with a name, one of them, to start one's own from",
        arguments="[NAME]",
    ),
)
