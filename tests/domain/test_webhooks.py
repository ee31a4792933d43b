"""Signatures as in the Standard Webhooks specification, and when a call is given up."""

from datetime import timedelta

from domain.webhooks import next_attempt, signature


def test_the_specifications_own_example() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_call_is_tried_for_about_half_a_day() -> None:
    waits = [wait for attempt in range(1, 10) if (wait := next_attempt(attempt)) is not None]
    assert waits == sorted(waits)
    assert timedelta(hours=8) < sum(waits, timedelta()) < timedelta(hours=24)
    assert next_attempt(len(waits) + 1) is None
