/* SPDX-License-Identifier: Apache-2.0 */
/* config_text: the table of rows as text for people. */
#include <string.h>

#include "base/config_impl.h"

/* A value that may be shown: secrets only say whether they are set. */
static const char *shown(const struct config_row *row, const char *text)
{
    if (!(row->flags & CONFIG_SECRET))
        return text;
    return *text ? "(hidden)" : "";
}

void config_show(const struct config *c, struct buf *out)
{
    for (int i = 0; c->rows[i].key; i++) {
        const struct config_row *row = &c->rows[i];
        const struct config_value *v = &c->values[i];
        const char *secret = row->flags & CONFIG_SECRET ? "# " : ""; /* so the text stays a file */
        buf_printf(out, "# %s\n# from %s; allowed: ", row->help, v->from);
        config_allowed(row, out);
        buf_printf(out, "; default: %s\n%s%s = %s\n\n", row->def, secret, row->key,
                   shown(row, v->text));
    }
}

void config_usage(const struct config_row *rows, struct buf *out)
{
    for (; rows->key; rows++) {
        buf_printf(out, "  --%s", rows->key);
        if (rows->flag)
            buf_printf(out, ", --%s", rows->flag);
        buf_printf(out, "\n        %s\n        (", rows->help);
        config_allowed(rows, out);
        buf_printf(out, "; default: %s)\n", *rows->def ? rows->def : "none");
    }
}

/* A pipe would end the table's cell. */
static void add_cell(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_char(out, '\\');
        buf_char(out, *text);
    }
}

void config_markdown(const struct config_row *rows, struct buf *out)
{
    struct buf allowed = {0};
    buf_str(out, "| key | flag | environment | allowed | default | meaning |\n"
                 "|---|---|---|---|---|---|\n");
    for (; rows->key; rows++) {
        buf_printf(out, "| `%s` | `--%s` | `", rows->key, rows->flag ? rows->flag : rows->key);
        config_env_name(rows, out);
        buf_clear(&allowed);
        config_allowed(rows, &allowed);
        buf_str(out, "` | ");
        add_cell(out, allowed.data);
        buf_str(out, " | ");
        if (*rows->def)
            buf_printf(out, "`%s`", rows->def);
        buf_str(out, " | ");
        add_cell(out, rows->help);
        buf_str(out, " |\n");
    }
    buf_free(&allowed);
}
