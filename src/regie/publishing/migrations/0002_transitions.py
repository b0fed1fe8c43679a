"""What the database itself sees to, whoever writes: no forbidden change of state, and no due time a lane misses."""

from django.db import migrations

from regie.publishing.states import BEGINNINGS, FOLLOWS


def guard() -> str:
    """The trigger's SQL, made from the table. A change of the table needs a new migration that runs this again."""
    pairs = sorted(f"{old}>{new}" for old, news in FOLLOWS.items() for new in news)
    allowed = ", ".join(f"'{pair}'" for pair in pairs)
    begins = ", ".join(f"'{state}'" for state in sorted(BEGINNINGS))
    return f"""
    CREATE OR REPLACE FUNCTION publishing_delivery_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            IF NEW.state NOT IN ({begins}) THEN
                RAISE EXCEPTION 'a delivery cannot begin as %', NEW.state USING ERRCODE = 'check_violation';
            END IF;
        ELSIF (OLD.state || '>' || NEW.state) NOT IN ({allowed}) THEN
            RAISE EXCEPTION 'a delivery cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$;
    """


TRIGGERS = """
DROP TRIGGER IF EXISTS publishing_delivery_begins ON publishing_delivery;
DROP TRIGGER IF EXISTS publishing_delivery_follows ON publishing_delivery;
CREATE TRIGGER publishing_delivery_begins BEFORE INSERT ON publishing_delivery
    FOR EACH ROW EXECUTE FUNCTION publishing_delivery_guard();
CREATE TRIGGER publishing_delivery_follows BEFORE UPDATE OF state ON publishing_delivery
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION publishing_delivery_guard();
"""

# A lane's ``next_at`` is never later than its first waiting delivery. Only here is it lowered, and always under the
# lane's row lock; the engine raises it under the same lock, looking again after it has it. So a delivery that commits
# while the engine looks is either seen by it, or lowers the lane afterwards. Rows are taken in order: no deadlock.
LANES = """
CREATE OR REPLACE FUNCTION publishing_lane_wakes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO publishing_lane (account_id, workspace_id, served_at, next_at)
    SELECT account_id, min(workspace_id), 'epoch', min(next_at)
    FROM fresh WHERE state = 'scheduled' GROUP BY account_id ORDER BY account_id
    ON CONFLICT (account_id) DO UPDATE SET next_at = least(publishing_lane.next_at, excluded.next_at);
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS publishing_lane_wakes_new ON publishing_delivery;
DROP TRIGGER IF EXISTS publishing_lane_wakes_changed ON publishing_delivery;
CREATE TRIGGER publishing_lane_wakes_new AFTER INSERT ON publishing_delivery
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION publishing_lane_wakes();
CREATE TRIGGER publishing_lane_wakes_changed AFTER UPDATE ON publishing_delivery
    REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION publishing_lane_wakes();
"""


class Migration(migrations.Migration):
    dependencies = [("publishing", "0001_initial")]
    operations = [migrations.RunSQL(guard() + TRIGGERS + LANES, migrations.RunSQL.noop)]
