"""What the database itself refuses: a second spelling of an address, and any change to the audit trail."""

import django.db.models.functions.text
from django.db import migrations, models

AUDIT_IS_FINAL = """
CREATE FUNCTION people_audit_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A person who is deleted leaves the trail: their key goes, the name written at that moment stays.
    IF TG_OP = 'UPDATE' AND NEW.user_id IS NULL
       AND to_jsonb(NEW) - 'user_id' = to_jsonb(OLD) - 'user_id' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The audit trail is never changed.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER people_audit_is_final BEFORE UPDATE OR DELETE ON people_auditentry
    FOR EACH ROW EXECUTE FUNCTION people_audit_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]

    operations = [
        migrations.AddConstraint(
            model_name="user",
            constraint=models.CheckConstraint(
                condition=models.Q(("email", django.db.models.functions.text.Lower("email"))), name="user_email_lower"
            ),
        ),
        migrations.RunSQL(
            AUDIT_IS_FINAL,
            "DROP TRIGGER people_audit_is_final ON people_auditentry; DROP FUNCTION people_audit_is_final();",
        ),
    ]
