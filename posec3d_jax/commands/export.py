"""`posec3d export`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Writes the run as one file, and prints how near to the run it is."""
    from posec3d_jax.config.stored import load_config
    from posec3d_jax.export import export_model
    from posec3d_jax.steps.protocol import protocols

    options, workdir = request.options, request.workdir
    one, many = protocols(load_config(workdir))
    exported = export_model(
        workdir,
        request.need("out"),
        file_format=options.format,
        checkpoint=options.checkpoint,
        protocol=many if options.protocol == "many" else one,
        persons=options.persons,
        batch=options.batch,
        data_dir=options.data_dir,
    )
    print(exported)
