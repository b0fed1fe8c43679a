"""The database refuses any change of state that the table in states.py does not allow, whoever tries it."""

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


class Migration(migrations.Migration):
    dependencies = [("publishing", "0001_initial")]
    operations = [migrations.RunSQL(guard() + TRIGGERS, migrations.RunSQL.noop)]
