"""Keys of a run itself, and of `train`, `optimizer` and `evaluate`."""

from posec3d_jax.config.keys.key import BOTH, COUNT, NOTHING, SEED, TESTS, TRAINING, Key
from posec3d_jax.config.values import OneOf, Real, Several, Text, Whole, YesNo

RUN = (
    Key("name", "base", Text(), NOTHING, "Names the run in logs, reports and results."),
    Key("seed", 0, Whole(*SEED), TRAINING, "Of everything random in training."),
    Key(
        "init_from",
        "",
        Text("a path"),
        TRAINING,
        "A run's directory, or a checkpoint, whose weights to start from.",
    ),
    Key(
        "init_pose_from",
        "",
        Text("a path"),
        TRAINING,
        "Of network 'rgbpose' only: a pose network's run or checkpoint. `init_from` is then that "
        "of an RGB network, and both become the pathways to start from.",
        earlier="",
    ),
)

TRAIN = (
    Key(
        "compute_dtype",
        "float32",
        OneOf(("float32", "bfloat16")),
        BOTH,
        "Of activations and products; parameters and statistics stay float32.",
    ),
    Key(
        "train.batch_size",
        256,
        Whole(*COUNT),
        TRAINING,
        "Clips of a step, over all processes and devices.",
    ),
    Key("train.epochs", 24, Whole(*COUNT), TRAINING, "Each of `data.repeat` passes."),
    Key("train.label_smoothing", 0.0, Real(0, 1), TRAINING, "Share spread over all classes."),
    Key(
        "train.mixup",
        0.0,
        Real(0, 100),
        TRAINING,
        "Clips are mixed in pairs, and their labels with them, in shares drawn from Beta(a, a) of "
        "this a; 0 for none.",
        earlier=0.0,
    ),
    Key(
        "train.rgb_weight",
        1.0,
        Real(0, 1e6),
        TRAINING,
        "What the loss of output 'rgb' counts, in networks that have it.",
        earlier=1.0,
    ),
    Key(
        "train.pose_weight",
        1.0,
        Real(0, 1e6),
        TRAINING,
        "The same of output 'pose'.",
        earlier=1.0,
    ),
    Key(
        "train.batch_norm_groups",
        1,
        Whole(*COUNT),
        TRAINING,
        "1: statistics over the global batch; 8: over each eighth of it, as on eight GPUs.",
    ),
    Key(
        "train.steps_per_dispatch",
        1,
        Whole(1, 1000),
        NOTHING,
        "Steps in one call to the device: more where the host is slower. It ends where a line of "
        "metrics, a validation or a checkpoint is due; SIGTERM waits for its end.",
        earlier=1,
    ),
    Key(
        "train.remat",
        False,
        YesNo(),
        NOTHING,
        "Store each block's input only, and compute its inside again in the backward pass: less "
        "memory (not on a CPU), one more forward pass.",
        earlier=False,
    ),
    Key("train.log_every", 50, Whole(1, 10**9), NOTHING, "Steps between lines of metrics."),
    Key("train.validate_every", 1, Whole(*COUNT), NOTHING, "Epochs between validations."),
    Key("train.checkpoint_every", 1, Whole(*COUNT), NOTHING, "Epochs between checkpoints."),
    Key(
        "train.keep_checkpoints",
        2,
        Whole(2, COUNT[1]),
        NOTHING,
        "The latest so many are kept, and the best by validation.",
        earlier=2,
    ),
    Key(
        "train.stall_minutes",
        30.0,
        Real(0, 1e6),
        NOTHING,
        "Nothing done for so long: the run shows where, and ends; 0 waits forever.",
        earlier=30.0,
    ),
)

OPTIMIZER = (
    Key(
        "optimizer.method",
        "sgd",
        OneOf(("sgd", "adamw")),
        TRAINING,
        "Gradient descent with momentum, or AdamW.",
        earlier="sgd",
    ),
    Key(
        "optimizer.learning_rate",
        0.4,
        Real(0, 1e3),
        TRAINING,
        "At batches of `reference_batch`; scaled to `train.batch_size`.",
    ),
    Key("optimizer.reference_batch", 256, Whole(*COUNT), TRAINING, "Clips."),
    Key("optimizer.momentum", 0.9, Real(0, 1), TRAINING, "Of gradients; AdamW's first decay."),
    Key(
        "optimizer.nesterov",
        False,
        YesNo(),
        TRAINING,
        "Nesterov's momentum, as in the recipes of the graph networks.",
        earlier=False,
    ),
    Key(
        "optimizer.weight_decay",
        3e-4,
        Real(0, 1e3),
        TRAINING,
        "On every parameter, as the reference does; AdamW's is its own, and on kernels alone.",
    ),
    Key(
        "optimizer.clip_norm",
        40.0,
        Real(0, 1e9),
        TRAINING,
        "Greatest norm of all gradients together; 0 turns clipping off.",
    ),
    Key(
        "optimizer.schedule",
        "cosine",
        OneOf(("cosine", "step")),
        TRAINING,
        "The learning rate falls to zero step by step, or drops after `step_epochs`.",
    ),
    Key(
        "optimizer.step_epochs",
        (),
        Several(Whole(0, 1_000_000)),
        TRAINING,
        "Of schedule 'step': epochs after which the rate drops.",
    ),
    Key("optimizer.step_factor", 0.1, Real(0, 1), TRAINING, "What the rate is then times."),
    Key("optimizer.warmup_epochs", 0.0, Real(0, 1e6), TRAINING, "Epochs of rising rate."),
    Key(
        "optimizer.ema",
        0.0,
        Real(0, 0.999999),
        TRAINING,
        "Keep a moving mean of the weights, and validate, test and predict with that: each step it "
        "keeps this share of what it was, 0.99 remembers some hundred steps. 0 keeps none.",
        earlier=0.0,
    ),
)

EVALUATE = (
    Key(
        "evaluate.batch_size",
        16,
        Whole(*COUNT),
        NOTHING,
        "Volumes of a step, over all devices: so many clips of the one-clip protocol, and as many "
        "fewer of the other as a clip has views, but at least one a device.",
    ),
    Key(
        "evaluate.average",
        "prob",
        OneOf(("prob", "score")),
        TESTS,
        "What is averaged over views: probabilities, or the logits before them.",
    ),
    Key(
        "evaluate.rgb_weight",
        1.0,
        Real(0, 1e6),
        TESTS,
        "What the probabilities of output 'rgb' count where two outputs are fused.",
        earlier=1.0,
    ),
    Key(
        "evaluate.pose_weight",
        1.0,
        Real(0, 1e6),
        TESTS,
        "The same of output 'pose'.",
        earlier=1.0,
    ),
    Key(
        "evaluate.mean_class",
        "union",
        OneOf(("union", "present")),
        TESTS,
        "Mean class accuracy is over classes that have clips or predictions, as PYSKL and "
        "mmaction2 count, or over those that have clips.",
        earlier="union",
    ),
)

KEYS = (*TRAIN, *OPTIMIZER, *EVALUATE)
