"""What an organization file says about answers and opt-outs."""

from pathlib import Path

from importing.load import import_file
from lab.access_records import Organization
from lab.factories import World
from lab.records import Sequence
from tests.importing.test_organization_files import good, problems


def with_answers(organization: str, sequence: str) -> str:
    return (
        good()
        .replace("    sending:", f"    answers: {organization}\n    sending:", 1)
        .replace("        fields:", f"        answers: {sequence}\n        fields:", 1)
    )


def of_sequence(world: World) -> tuple[str | None, str | None]:
    found = world.only(Sequence)
    return found.stop_scope, found.opt_out_line


def test_settings_of_the_organization_and_of_a_sequence_are_written(world: World, tmp_path: Path) -> None:
    file = tmp_path / "acme.yaml"
    file.write_text(
        with_answers(
            "{stop: organization, away_days: 7, opt_out_line: No more emails}",
            '{stop: sequence, opt_out_line: ""}',
        )
    )
    import_file(world.database, file, actor="test")
    assert world.only(Organization, name="Acme acme").answers == ("organization", 7, "No more emails")
    assert of_sequence(world) == ("sequence", "")
    assert import_file(world.database, file, actor="test").organizations == 0
    file.write_text(good())  # what a file does not name, it leaves alone
    import_file(world.database, file, actor="test")
    assert of_sequence(world) == ("sequence", "")


def test_what_is_wrong_is_named_with_its_place() -> None:
    found = problems(
        with_answers("{stop: everything, away_days: 99}", '{opt_out_line: "see https://x.example"}')
    )
    assert [what for _, _, what in found] == [
        "stop cannot be 'everything'",
        "away_days must be a whole number from 1 to 60",
        "the line holds a field or a link",
    ]
    assert [line for line, _, _ in found] == [4, 4, 17]
