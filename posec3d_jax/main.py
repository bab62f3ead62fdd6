"""Command line: `posec3d <command> --config=... [--workdir=...]`; flags, start-up, dispatch."""

import sys

COMMANDS = {}


def run() -> None:
    """Entry point of the console script."""
    from absl import app, logging
    from ml_collections import config_flags
    from absl import flags
    config_flags.DEFINE_config_file('config', lock_config=True)
    flags.DEFINE_string('workdir','','')
    flags.DEFINE_string('record','','')
    def main(argv):
        logging.set_verbosity(logging.INFO)
        F=flags.FLAGS; c=F.config
        if argv[1]=='prepare':
            from posec3d_jax.prepare import prepare
            prepare(c.data)
        if argv[1]=='train':
            from posec3d_jax.train import train_and_evaluate
            print(train_and_evaluate(c,F.workdir))
        if argv[1]=='evaluate':
            from posec3d_jax.evaluate import evaluate
            print(evaluate(c,F.workdir,record=F.record))
    app.run(main)
if __name__=='__main__': run()
