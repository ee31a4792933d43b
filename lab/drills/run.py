"""Run drills by name, one after the other, on one system, and print the verdicts."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from domain.errors import InvalidInput
from lab.drills.finding import Finding
from lab.drills.scenarios import SCENARIOS
from lab.drills.stage import Stage, TakesTooLong, Verdict
from lab.drills.system import RunningSystem, running_system
from observability import configure_logging


def run_drills(
    names: Sequence[str], *, home: Path | None = None, console: Console | None = None
) -> list[Verdict]:
    """Run the named drills (none = all) and print to ``console``. Raises ``InvalidInput`` for an unknown name."""
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        raise InvalidInput(
            f"there is no drill {unknown[0]!r}", where="NAME", fix=f"Use one of: {', '.join(SCENARIOS)}."
        )
    screen = console or Console()
    configure_logging("auto", "error")
    with running_system(home or Path.cwd() / ".onbehalf") as system:
        verdicts = [run_one(name, system, screen) for name in names or SCENARIOS]
    broken = [each.name for each in verdicts if not each.holds]
    screen.print(
        f"\n[bold red]Broken: {', '.join(broken)}[/]"
        if broken
        else f"\n[bold green]{len(verdicts)} of {len(verdicts)} drills: every invariant held.[/]"
    )
    return verdicts


def run_one(name: str, system: RunningSystem, console: Console) -> Verdict:
    """Run one drill."""
    scenario = SCENARIOS[name]
    console.print(
        f"\n[bold]{name}[/]  [dim]{(scenario.__doc__ or '').strip()}[/]\n", highlight=False, soft_wrap=True
    )
    stage = Stage(name, system, console)
    try:
        scenario(stage)
    except TakesTooLong as error:
        stage.findings.append(Finding("it ends in time", "", [str(error)]))
    finally:
        system.control.clear_faults()
    return stage.verdict()
