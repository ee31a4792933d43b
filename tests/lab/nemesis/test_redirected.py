"""What the nemesis says of mail to default addresses."""

from lab.nemesis.redirected import judged


def test_what_was_accepted_is_there_once() -> None:
    assert judged(["a", "b"], ["b", "a"], 0).holds
    # A server that died before its 250 may have kept it.
    assert judged(["a"], ["a", "b"], 0).holds


def test_what_is_lost_twice_there_or_unread_is_a_breach() -> None:
    assert judged(["a", "b"], ["a"], 0).breaches == ["b was accepted, and nobody has it"]
    assert judged(["a"], ["a", "a"], 0).breaches == ["a is there 2 times"]
    assert judged([], [], 2).breaches == ["2 messages are kept and not read"]
