"""`python -m infra.local HOME`: supervise the plan in `HOME/plan.json`, as a detached `up` has it done."""

import asyncio
import sys
from pathlib import Path

from infra.local.plan import Plan
from infra.local.processes import LocalError
from infra.local.supervisor import Supervisor


def main(home: Path) -> None:
    """Run until told to stop; say on stderr why it could not be brought up."""
    plan = Plan.from_json((home / "plan.json").read_text())
    try:
        asyncio.run(Supervisor(home, plan, lambda line: print(line, flush=True)).run())
    except LocalError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
