"""From due to sent: dispatch, claim, gate, outcome, reconcile."""
