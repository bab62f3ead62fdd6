"""`posec3d weights`."""

from posec3d_jax.commands.request import Request


def run(request: Request) -> None:
    """Lists published checkpoints, or downloads one and imports it; or installs MoveNet's."""
    from posec3d_jax.weights import builtin
    from posec3d_jax.weights.getting import get_weights
    from posec3d_jax.weights.index import matching, table

    verb, *words = request.arguments or ("",)
    if verb == "list":
        print(table(matching(words)))
        if all(word.lower() in builtin.NAME for word in words):
            print(builtin.as_line())
    elif verb == "get" and words == ["movenet"]:
        from posec3d_jax.poses.movenet.weights import install

        file = getattr(request.options, "from")
        print("\n".join(map(str, install(file or None))))
    elif verb == "get" and len(words) == 1:
        file, out = getattr(request.options, "from"), request.need("out")
        print(get_weights(words[0], out, file=file, config=request.settings))
    else:
        raise ValueError(
            "expected `weights list [WORDS]`, `weights get NAME --out=RUN` or `weights get movenet`"
        )
