"""The database refuses every move of a delivery that the table of transitions does not list."""

from alembic import op

revision = "2026_11_28_moves"
down_revision = "2026_11_28_seal"
branch_labels = None
depends_on = None

_MOVES = """
      ('pending', 'queued'),
      ('queued', 'preparing'),
      ('preparing', 'drafted'),
      ('drafted', 'sending'),
      ('sending', 'sent'),
      ('preparing', 'pending'),
      ('drafted', 'pending'),
      ('sending', 'pending'),
      ('pending', 'closed'),
      ('queued', 'closed'),
      ('preparing', 'closed'),
      ('drafted', 'closed'),
      ('sending', 'closed'),
      ('preparing', 'sent'),
      ('preparing', 'reconciling'),
      ('sending', 'reconciling'),
      ('reconciling', 'sent'),
      ('reconciling', 'pending'),
      ('reconciling', 'review'),
      ('preparing', 'review'),
      ('review', 'sent'),
      ('review', 'closed'),
      ('review', 'pending'),
      ('closed', 'pending')"""


def upgrade() -> None:
    op.execute(
        f"""CREATE OR REPLACE FUNCTION check_delivery_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.state, NEW.state) NOT IN ({_MOVES}) THEN
    RAISE EXCEPTION 'delivery %: no move leads from % to %', OLD.id, OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'deliveries_move', TABLE = 'deliveries';
  END IF;
  RETURN NEW;
END $$"""
    )
    op.execute(
        "CREATE TRIGGER deliveries_move BEFORE UPDATE OF state ON deliveries FOR EACH ROW"
        " WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION check_delivery_move()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER deliveries_move ON deliveries")
    op.execute("DROP FUNCTION check_delivery_move()")
