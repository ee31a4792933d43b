"""What the judge says of one promise."""

from dataclasses import dataclass, field

_SHOWN = 5


@dataclass(slots=True)
class Finding:
    """One invariant: ``figure`` in words, ``breaches`` one line each. It holds if there are none."""

    name: str
    figure: str
    breaches: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Are there no breaches?"""
        return not self.breaches


def lines(findings: list[Finding]) -> list[str]:
    """Format findings for a log: one line each, with the first breaches."""
    out = []
    for each in findings:
        out.append(f"{'holds ' if each.holds else 'BROKEN'} {each.name}: {each.figure}")
        out += [f"         {breach}" for breach in each.breaches[:_SHOWN]]
    return out
