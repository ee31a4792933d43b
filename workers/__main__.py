"""``python -m workers --queues send --processes 2``: Dramatiq's command line for our broker and actors, in our log.

Dramatiq's main process loads no code of ours, so its lines would be its own. Its options, signals and exit codes are as ever.
"""

import sys

from dramatiq import cli

from config import Settings
from domain.errors import OperatorMisconfigured
from observability import log_whatever_ends_a_process
from workers import logs


def main() -> int:
    """Run until a signal ends it; SIGHUP starts it anew."""
    options = cli.make_argument_parser().parse_args(["workers.main", *sys.argv[1:]])  # type: ignore[no-untyped-call]
    try:
        logs.configure(Settings.from_environment())
    except OperatorMisconfigured as error:
        sys.exit(f"onbehalf: {error}")
    log_whatever_ends_a_process()
    sys.argv = [sys.executable, "-m", "workers", *sys.argv[1:]]  # what Dramatiq executes on SIGHUP
    return int(cli.main(options))  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    sys.exit(main())
