"""Every step once on the built-in data set: prepare, train, evaluate, report. `make demo` runs it.

  python -m experiments.demo --workdir=runs/demo

Started again it resumes; a finished run is only evaluated. The last lines say where data set,
checkpoints, metrics and the report are.
"""

import time
from pathlib import Path

from posec3d_jax.machine.host import quiet_libraries, tune_process, use_compilation_cache

EXPECTED = 0.95  # top-1 on held-out performers and viewpoints


def main(argv: list[str]) -> None:
    from absl import flags

    from configs.demo import get_config

    quiet_libraries()
    use_compilation_cache()
    demonstrate(get_config(), Path(flags.FLAGS.workdir), flags.FLAGS.record)


def demonstrate(config, workdir: Path, record: str = "") -> None:
    """Prepares, trains, evaluates, draws and reports; prints what came out and where it lies."""
    from posec3d_jax.evaluate import evaluate
    from posec3d_jax.prepare import prepare
    from posec3d_jax.reports.report import write_report
    from posec3d_jax.train import train_and_evaluate

    started = time.monotonic()
    if not (Path(config.data.dir) / "info.json").is_file():
        prepare(config.data)
    train_and_evaluate(config, workdir)
    results = evaluate(config, workdir, record=record)
    draw_pictures(config, workdir / "pictures")
    report = write_report(workdir)
    print(f"\ndone in {(time.monotonic() - started) / 60:.1f} minutes: held-out people and views\n")
    for protocol, figures in results.items():
        print(f"  {protocol:18s} top-1 {figures['top1']:.4f}  ({figures['clips']} clips)")
    print(f"\n  data set     {config.data.dir}\n  checkpoints  {workdir / 'checkpoints'}")
    print(f"  metrics      {workdir / 'metrics.jsonl'}\n  report       {report}")
    if (best := max(figures["top1"] for figures in results.values())) < EXPECTED:
        print(f"\nNote: {best:.4f} is below the {EXPECTED} that this demonstration should reach.")


def draw_pictures(config, folder: Path) -> None:
    """Skeletons and volumes of four test clips, for the report."""
    from posec3d_jax.data.stored.sources import open_source
    from posec3d_jax.reports.inspection import draw_clips, pick_clips
    from posec3d_jax.reports.preview import volume_kind, volume_of

    source = open_source(config.data, config.data.test_split)
    draw_clips(source, pick_clips(source), folder, volume_of(config), volume_kind(config))


if __name__ == "__main__":
    tune_process()
    from absl import app, flags

    flags.DEFINE_string("workdir", "runs/demo", "Directory of the run.")
    flags.DEFINE_string("record", "", "JSON file for the result; '' for none.")
    app.run(main)
