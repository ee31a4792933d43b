"""On whose authority a sequence sends, as SQL: withdrawals, resumptions, events and previews ask in the same words."""


def authorized(besides: str = "true") -> str:
    """Over a sequence ``s``: does a grant ``g`` stand that lets its owner send from its mailbox? ``besides``: one more condition."""
    return (
        "EXISTS (SELECT FROM grants g WHERE g.mailbox_id = s.mailbox_id AND g.archived_at IS NULL"
        " AND (g.expires_at IS NULL OR g.expires_at > clock_timestamp())"
        " AND (g.grantee_id = s.owner_id OR g.grantee_id IS NULL)"
        f" AND (g.sequence_ids IS NULL OR s.id = ANY(g.sequence_ids)) AND {besides})"
    )


# Over a grant ``g``: by whose hand it was given, in words; NULL: by the mailbox owner's own.
BY_HAND_OF = (
    "CASE g.given_by_kind WHEN 'operator' THEN 'an operator (' || g.given_by || ')'"
    " WHEN 'import' THEN 'an operator''s file (' || g.given_by || ')' END"
)
