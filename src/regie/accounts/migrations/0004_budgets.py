"""Budgets counted by all processes together, and the function by which each takes its portion.

What the rows held was good for minutes: it is dropped, and counted anew.
"""

from django.db import migrations, models

# One visit for many wishes: each row is locked, read as it is now, and changed; always in the order of their keys, so
# that two visitors never wait for each other. ``asks``: number, key, name, account_id, most, seconds, want, least,
# reserve. Gives for each what was granted (a multiple of ``least``, possibly 0), the slice it was counted in, what is
# left, and, when nothing was granted, when it may be asked for again.
#
# Time is cut into 48 slices per window; a point counts until its slice is wholly older than the window, and for the
# portion's lease of at most one slice (30 s) more, as it may be used that late.
TAKE = """
CREATE OR REPLACE FUNCTION accounts_take(asks jsonb, moment timestamptz)
RETURNS TABLE (number int, granted int, slice bigint, remaining int, free_at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    ask record;
    b accounts_budget%ROWTYPE;
    waits timestamptz;
    width float8;
    lease float8;
    epoch float8 := extract(epoch FROM moment);
    used int;
    freed int;
    one record;
BEGIN
    FOR ask IN SELECT * FROM jsonb_to_recordset(asks) AS r(
        number int, key text, name text, account_id bigint, most int, seconds float8, want int, least int, reserve int)
        ORDER BY r.key, r.name, r.number
    LOOP
        SELECT * INTO b FROM accounts_budget t WHERE t.key = ask.key AND t.name = ask.name FOR UPDATE;
        IF NOT FOUND THEN
            INSERT INTO accounts_budget (key, name, account_id, most, seconds, spent)
            VALUES (ask.key, ask.name, ask.account_id, ask.most, ask.seconds, '{}') ON CONFLICT DO NOTHING;
            SELECT * INTO b FROM accounts_budget t WHERE t.key = ask.key AND t.name = ask.name FOR UPDATE;
        END IF;
        IF b.resets_at IS NULL OR b.resets_at <= moment THEN
            b.resets_at := NULL; b.left := NULL; b.most := ask.most;
        END IF;
        b.seconds := ask.seconds;
        width := b.seconds / 48;
        lease := least(width, 30);
        number := ask.number;
        slice := floor(epoch / width);
        SELECT coalesce(jsonb_object_agg(s.key, s.value), '{}'), coalesce(sum(s.value::int), 0) INTO b.spent, used
        FROM jsonb_each(b.spent) s WHERE (s.key::bigint + 1) * width + b.seconds + lease > epoch;
        remaining := greatest(coalesce(b.left, b.most - used), 0);
        granted := least(ask.want, remaining - ask.reserve) / ask.least * ask.least;
        free_at := NULL;
        IF granted <= 0 THEN
            granted := 0;
            IF b.left IS NOT NULL THEN
                free_at := b.resets_at;
            ELSE
                freed := remaining - ask.reserve;
                FOR one IN SELECT s.key::bigint AS slice, s.value::int AS points FROM jsonb_each(b.spent) s ORDER BY 1
                LOOP
                    freed := freed + one.points;
                    IF freed >= ask.least THEN
                        free_at := to_timestamp((one.slice + 1) * width + b.seconds + lease);
                        EXIT;
                    END IF;
                END LOOP;
                free_at := coalesce(free_at, moment + make_interval(secs => b.seconds));
            END IF;
        END IF;
        IF ask.account_id IS NOT NULL THEN
            SELECT a.not_before INTO waits FROM accounts_account a WHERE a.id = ask.account_id;
            IF waits > moment THEN
                granted := 0;
                free_at := greatest(free_at, waits);
            END IF;
        END IF;
        IF granted > 0 THEN
            b.spent := jsonb_set(b.spent, ARRAY[slice::text],
                to_jsonb(coalesce((b.spent ->> slice::text)::int, 0) + granted));
            b.left := b.left - granted;
            remaining := remaining - granted;
        END IF;
        UPDATE accounts_budget t
        SET most = b.most, seconds = b.seconds, spent = b.spent, "left" = b.left, resets_at = b.resets_at
        WHERE t.id = b.id;
        RETURN NEXT;
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_avatar_source")]
    operations = [
        migrations.AddField(
            "account",
            "not_before",
            models.DateTimeField(null=True, blank=True, help_text="The network asked us to leave it alone until."),
        ),
        migrations.RunSQL("DELETE FROM accounts_budget", migrations.RunSQL.noop),
        migrations.RemoveConstraint("budget", "budget_once"),
        migrations.AddField(
            "budget",
            "key",
            models.CharField(default="", max_length=200, help_text="account:<pk>, or what several accounts share."),
            preserve_default=False,
        ),
        migrations.AddField("budget", "seconds", models.FloatField(default=300, help_text="How long the window is.")),
        migrations.AddField(
            "budget",
            "spent",
            models.JSONField(default=dict, help_text="Points by the slice of time in which they were taken."),
        ),
        migrations.AlterField(
            "budget",
            "account",
            models.ForeignKey("accounts.Account", models.CASCADE, null=True, related_name="budgets"),
        ),
        migrations.AlterField(
            "budget",
            "most",
            models.IntegerField(help_text="Points in any window: as declared, or as the network says."),
        ),
        migrations.AlterField(
            "budget",
            "left",
            models.IntegerField(null=True, help_text="By the network's own word, less what was taken since."),
        ),
        migrations.AlterField(
            "budget", "resets_at", models.DateTimeField(null=True, help_text="Until when its word holds.")
        ),
        migrations.AddConstraint("budget", models.UniqueConstraint(fields=["key", "name"], name="budget_once")),
        migrations.RunSQL(TAKE, "DROP FUNCTION IF EXISTS accounts_take(jsonb, timestamptz)"),
    ]
