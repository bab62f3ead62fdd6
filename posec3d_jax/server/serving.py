"""`posec3d serve`: starts the service; loopback and without a token, or open and with one."""

import contextlib
import os
import resource
import socket
from collections.abc import Callable
from importlib.util import find_spec

import uvicorn

from posec3d_jax.poses.opening import open_estimator
from posec3d_jax.predict import Predictor
from posec3d_jax.server.app import make_app
from posec3d_jax.server.patience import HastyProtocol
from posec3d_jax.server.service import Eyes

TOKEN = "POSEC3D_TOKEN"  # of the environment: a command line can be read by other users
LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


def serve(
    load: Callable[[], Predictor],
    *,
    name: str = "",
    host: str = "127.0.0.1",
    port: int = 8000,
    estimator: str = "",
) -> None:
    """Serves a network until it is stopped.

    Args:
      load: gives the network; called once all else is known to be right.
      name: of the network, for people.
      host: the address to listen on; other machines are served only with a token.
      port: of the address; 0 for any that is free.
      estimator: finds people in videos and pictures, see `open_estimator`; '' for MoveNet's
        Thunder, and Lightning for cameras; 'none' for a service of keypoints alone.

    Raises:
      ValueError: no such network, a port that cannot be had, or an address that others reach
        without a token in $POSEC3D_TOKEN.
    """
    token = os.environ.get(TOKEN, "")
    if host not in LOCAL and not token:
        raise ValueError(
            f"--host={host} lets other machines in: set {TOKEN} to a secret of your own, which "
            "they then have to send"
        )
    _check_free(host, port)
    predictor = load()
    if predictor.needs_frames:
        raise ValueError(f"{name} holds a network of RGB frames; poses alone can be served")
    hosts = LOCAL if host in LOCAL else frozenset()
    eyes = open_eyes(estimator)
    if eyes.lacking:
        print(f"keypoints only, no videos: {eyes.lacking}", flush=True)
    app = make_app(predictor, name=name, token=token, hosts=hosts, eyes=eyes)
    _allow_many_connections()
    uvicorn.run(app, host=host, port=port, http=HastyProtocol, ws="none", log_level="warning",
                server_header=False, date_header=False, timeout_graceful_shutdown=5)  # fmt: skip


def open_eyes(estimator: str) -> Eyes:
    """The pose estimators of that name, or why there are none."""
    if estimator == "none":
        return Eyes(lacking="the service was started with --estimator=none")
    if find_spec("av") is None:
        return Eyes(lacking="reading videos needs PyAV: pip install 'posec3d-jax[video]'")
    try:
        video = open_estimator(estimator or "thunder")
        return Eyes(video, open_estimator("lightning") if not estimator else video)
    except (ValueError, OSError) as error:
        return Eyes(lacking=str(error))


def _check_free(host: str, port: int) -> None:
    """Raises ValueError where nobody can listen, before the network is loaded and compiled."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except (OSError, OverflowError) as error:
        raise ValueError(
            f"nothing can listen on --host={host} --port={port} ({error}): choose another port, or "
            "end what listens there"
        ) from error


def _allow_many_connections() -> None:
    """A thousand slow clients may not use up the files that a process may open."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 1 << 16), most))
