"""`posec3d inspect`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Describes a prepared data set, and draws some of its clips."""
    from posec3d_jax.reports.inspection import describe, draw_clips, inspect_dataset, pick_clips

    options = request.options
    print(describe(inspect_dataset(options.data_dir or request.config.data.dir)))
    if not options.out:
        return
    from posec3d_jax.data.stored.sources import open_source
    from posec3d_jax.reports.preview import volume_kind, volume_of

    config = request.config
    source = open_source(config.data, options.split or config.data.test_split)
    chosen = pick_clips(source, options.clips, options.draw)
    for path in draw_clips(source, chosen, options.out, volume_of(config), volume_kind(config)):
        print(path)
