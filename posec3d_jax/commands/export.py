"""`posec3d export`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Writes the run as one file, and prints how near to the run it is."""
    from posec3d_jax.config.stored import load_config
    from posec3d_jax.export import export_model
    from posec3d_jax.steps.protocol import protocols

    options, workdir = request.options, request.workdir
    if options.format == "page":
        return print(_page(request))
    config = request.settings or load_config(workdir)
    one, many = protocols(config)
    exported = export_model(
        workdir,
        request.need("out"),
        file_format=options.format,
        checkpoint=options.checkpoint,
        protocol=many if options.protocol == "many" else one,
        persons=options.persons,
        batch=options.batch,
        data_dir=options.data_dir,
        config=config,
    )
    print(exported)


def _page(request: Request) -> str:
    """A folder of static files."""
    from posec3d_jax.export.web_page import export_page

    options = request.options
    if options.protocol != "one" or options.batch:
        raise ValueError("--format=page takes one view of one clip: no --protocol, no --batch")
    out = request.need("out")
    exported = export_page(
        request.workdir,
        out,
        checkpoint=options.checkpoint,
        persons=options.persons,
        data_dir=options.data_dir,
        runtime=options.runtime or None,
        config=request.settings,
    )
    return f"{exported}\nto see it: python -m http.server --directory {out} --bind 127.0.0.1"
