/* registry.c - floor 2: what plugins register: checks a declaration, derives what calls need from it once, finds it by name.
 *
 * Invariant: an entry in the table is complete and checked; nothing is ever taken out but by a failed registration. */
#include "registry.h"
#include <ctype.h>
#include <stdio.h>

/* ---- finding ---- */

ebb__entry *ebb__find(const ebb *e, const char *name, uint32_t hash) {
    const ebb__registry *r = e->reg;
    if (!r->table_size) return NULL;
    if (!hash) hash = ebb_hash(name);
    for (size_t i = hash & (r->table_size - 1);; i = (i + 1) & (r->table_size - 1)) {
        ebb__entry *x = r->table[i];
        if (!x) return NULL;
        if (x->hash == hash && (x->op->name == name || !strcmp(x->op->name, name))) return x;
    }
}

static const char *op_name(const void *list, size_t i) { return ((ebb__entry *const *)list)[i]->op->name; }

ebb__entry *ebb__need(ebb *e, const char *name, uint32_t hash) {
    ebb__entry *x = name ? ebb__find(e, name, hash) : NULL;
    if (x || e->code != EBB_OK) return x;
    const char *near = name ? ebb_op_nearest(e, name) : NULL;
    ebb_fail(e, EBB_E_NAME, near ? "no op is called %s; did you mean %s?" : "no op is called %s",
             name ? name : "NULL", near);
    return NULL;
}

const char *ebb_op_nearest(const ebb *e, const char *name) {
    return e && name ? ebb__nearest(name, op_name, e->reg->ops, e->reg->n_ops) : NULL;
}

size_t ebb_op_count(const ebb *e) { return e ? e->reg->n_ops : 0; }
const ebb_op *ebb_op_at(const ebb *e, size_t i) { return e && i < e->reg->n_ops ? e->reg->ops[i]->op : NULL; }
const ebb_op *ebb_op_find(const ebb *e, const char *name) {
    const ebb__entry *x = e && name ? ebb__find(e, name, 0) : NULL;
    return x ? x->op : NULL;
}
const char *ebb_op_plugin(const ebb *e, const char *name) {
    const ebb__entry *x = e && name ? ebb__find(e, name, 0) : NULL;
    return x ? e->reg->plugins[x->plugin].entry->name : NULL;
}

static const void *const *list_of(const ebb_plugin *p, size_t offset) {
    const void *const *list;
    memcpy(&list, (const char *)p + offset, sizeof list);
    return list;
}

const void *ebb__decl_at(const ebb *e, size_t offset, size_t i) {
    for (size_t p = 0; p < e->reg->n_plugins; p++)
        for (const void *const *l = list_of(e->reg->plugins[p].entry, offset); l && *l; l++)
            if (!i--) return *l;
    return NULL;
}

/* Every declaration struct is {uint32_t size; const char *name; ...} or, for ops, {size, flags, name}. */
const char *ebb__decl_name(const void *decl) {
    const char *name;
    memcpy(&name, (const char *)decl + offsetof(ebb_probe_decl, name), sizeof name);
    return name;
}

const void *ebb__decl_find(const ebb *e, size_t offset, const char *name) {
    const void *d;
    for (size_t i = 0; (d = ebb__decl_at(e, offset, i)); i++)
        if (!strcmp(ebb__decl_name(d), name)) return d;
    return NULL;
}

const char *ebb__decl_nearest(const ebb *e, size_t offset, const char *name) {
    const void *d;
    for (size_t i = 0; (d = ebb__decl_at(e, offset, i)); i++) {
        const char *n = ebb__decl_name(d);
        if (!strncmp(n, name, 2) || strstr(n, name) || strstr(name, n)) return n;
    }
    return NULL;
}

size_t ebb_plugin_count(const ebb *e) { return e ? e->reg->n_plugins : 0; }
const ebb_plugin *ebb_plugin_at(const ebb *e, size_t i) {
    return e && i < e->reg->n_plugins ? e->reg->plugins[i].entry : NULL;
}
const char *ebb_plugin_path(const ebb *e, size_t i) {
    return e && i < e->reg->n_plugins ? e->reg->plugins[i].path : NULL;
}

/* ---- deriving an entry from a declaration ---- */

void ebb__kernels_of(const ebb *e, const ebb_kernel *table, ebb_kernel_fn fn[EBB_DTYPES]) {
    for (const ebb_kernel *k = table; k && k->dtype; k++)
        if (k->dtype > 0 && k->dtype < EBB_DTYPES) {
            int level = e->level;
            while (level && !k->fn[level]) level--;
            fn[k->dtype] = k->fn[level];
        }
}

static int letter_at(ebb__entry *x, char c) {
    for (int i = 0; i < x->n_letters; i++)
        if (x->letter[i] == c) return i;
    if (x->n_letters == MAX_LETTERS) return -1;
    x->letter[x->n_letters] = c;
    return x->n_letters++;
}

static ebb_status signature_of(ebb *e, const char *who, const char *sig, ebb__entry *x) {
    ebb_sig s;
    char why[300];
    if (ebb_sig_parse(sig, &s, why, sizeof why) != EBB_OK)
        return ebb_fail(e, EBB_E_PLUGIN, "%s: its signature cannot be parsed: %s", who, why);
    x->n_in = (uint8_t)s.n_x;
    x->n_out = (uint8_t)s.n_y;
    x->variadic = s.n_x && s.arg[s.n_x - 1].variadic;
    x->variadic_out = s.arg[s.n_x].variadic;
    x->pointwise = x->all_T = true;
    for (int i = 0; i < s.n_x + s.n_y; i++) {
        ebb__operand *a = &x->arg[i];
        a->ndim = (uint8_t)s.arg[i].ndim;
        a->dtype = (uint8_t)s.arg[i].dtype;
        a->optional = s.arg[i].optional;
        a->variadic = s.arg[i].variadic;
        a->below = -1;
        for (int d = 0; d < a->ndim; d++) {
            const int l = letter_at(x, s.arg[i].dim[d]);
            if (l < 0)
                return ebb_fail(e, EBB_E_PLUGIN, "%s: its signature has more than %d letters", who, MAX_LETTERS);
            a->dim[d] = (uint8_t)l;
        }
        if (a->ndim) x->pointwise = false;
        if (a->dtype || a->optional || a->variadic) x->all_T = false;
        if (i < s.n_x && !a->optional && !a->variadic) x->required = (uint8_t)(i + 1);
    }
    if (x->variadic) x->required = x->n_in; /* at least one */
    for (int i = 0; i < s.n_x; i++)
        if (s.arg[i].below) x->arg[i].below = (int8_t)letter_at(x, s.arg[i].below);
    return EBB_OK;
}

static int attr_index(const ebb_op *op, const char *name) {
    for (size_t i = 0; name && i < op->n_attrs; i++)
        if (!strcmp(op->attrs[i].name, name)) return (int)i;
    return -1;
}

static void entry_free(ebb *e, ebb__entry *x) {
    if (!x) return;
    if (x->pull) {
        for (int i = 0; i < x->n_in; i++) entry_free(e, x->pull[i]);
        ebb__put(e, x->pull, sizeof *x->pull * x->n_in);
    }
    while (x->backends) {
        ebb__backend_entry *b = x->backends;
        x->backends = b->next;
        ebb__put(e, b, sizeof *b);
    }
    if (x->defaults) ebb__put(e, x->defaults, x->op->attrs_size ? x->op->attrs_size : 1);
    if (x->pull_op) {
        ebb__strfree(e, (char *)(uintptr_t)x->pull_op->sig);
        ebb__put(e, (void *)(uintptr_t)x->pull_op, sizeof *x->pull_op);
    }
    ebb__put(e, x, sizeof *x);
}

/* The core dims of operand i of a signature as text: "(m,k)". */
static size_t core_text(const ebb__entry *x, int i, char *buf, size_t n) {
    size_t at = (size_t)snprintf(buf, n, "("); /* at most 2 + 2*8 + 2 characters: the caller has room for 40 */
    for (int d = 0; d < x->arg[i].ndim; d++)
        at += (size_t)snprintf(buf + at, n - at, d ? ",%c" : "%c", x->letter[x->arg[i].dim[d]]);
    at += (size_t)snprintf(buf + at, n - at, ")%s",
                           x->arg[i].dtype == EBB_I64    ? ":i"
                           : x->arg[i].dtype == EBB_BOOL ? ":b"
                                                         : "");
    return at;
}

static ebb__entry *entry_new(ebb *e, const ebb_op *op, uint32_t plugin, bool is_pull);

/* A fused pull is an op of its own: cotangent and what it reads in, the input's gradient out. */
static ebb__entry *pull_new(ebb *e, const ebb__entry *x, const ebb_pull *p) {
    char sig[40 * (MAX_SIG + 2)];
    size_t n = core_text(x, x->n_in, sig, sizeof sig);
    for (int i = 0; i < x->n_in + x->n_out; i++) {
        const uint64_t bit = i < x->n_in ? EBB_X(i) : EBB_Y(i - x->n_in);
        if (!(p->reads & bit)) continue;
        n += (size_t)snprintf(sig + n, sizeof sig - n, ",");
        n += core_text(x, i, sig + n, sizeof sig - n);
    }
    n += (size_t)snprintf(sig + n, sizeof sig - n, "->");
    core_text(x, p->input, sig + n, sizeof sig - n);
    ebb_op *op = (ebb_op *)ebb__get0(e, sizeof *op);
    char *copy = op ? ebb__strdup(e, sig) : NULL;
    if (!copy) {
        ebb__put(e, op, sizeof *op);
        return NULL;
    }
    *op = (ebb_op){.size = sizeof *op,
                   .flags = x->op->flags & (EBB_STRIDED | EBB_RANDOM),
                   .name = x->op->name,
                   .sig = copy,
                   .fwd = p->kernel,
                   .attrs = x->op->attrs,
                   .n_attrs = x->op->n_attrs,
                   .attrs_size = x->op->attrs_size,
                   .axes = x->op->axes};
    ebb__entry *pull = entry_new(e, op, x->plugin, true);
    if (!pull) {
        ebb__strfree(e, copy);
        ebb__put(e, op, sizeof *op);
    } else {
        pull->pull_op = op;
    }
    return pull;
}

bool ebb__identifier(const char *s) {
    if (!s || !(isalpha((unsigned char)*s) || *s == '_') || strlen(s) > 60) return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '_' && *s != '.') return false;
    return true;
}

/* What is wrong with a declaration, as far as it shows without running it. */
static ebb_status declaration_ok(ebb *e, const ebb_op *op, const ebb__entry *x, const char *who) {
    if (!op->fwd && !op->compose && !op->view)
        return ebb_fail(e, EBB_E_PLUGIN, "%s: it has no kernel (.fwd), no .compose and no .view", who);
    for (const ebb_kernel *k = op->fwd; k && k->dtype; k++)
        if (!k->fn[0])
            return ebb_fail(e, EBB_E_PLUGIN, "%s: its kernel for %s is NULL", who,
                            ebb_dtype_name((ebb_dtype)k->dtype));
    if (x->n_out > 8)
        return ebb_fail(e, EBB_E_PLUGIN, "%s: it has %d outputs, at most 8 are possible", who, x->n_out);
    if (op->view && x->n_out != 1)
        return ebb_fail(e, EBB_E_PLUGIN, "%s: an op with .view has one output, not %d", who, x->n_out);
    if (x->variadic_out && (!op->compose || op->fwd || op->n_vjp))
        return ebb_fail(e, EBB_E_PLUGIN,
                        "%s: only a composed op, without rules of its own, has any number of outputs", who);
    if (!x->n_in && (op->axes || op->view || (op->fwd && !op->infer)))
        return ebb_fail(e, EBB_E_PLUGIN, "%s: an op without inputs has .infer or .compose", who);
    if ((op->flags & EBB_INPLACE) && (op->view || !x->n_in || x->variadic_out || x->n_out != 1))
        return ebb_fail(e, EBB_E_PLUGIN,
                        "%s: a view, or an op that has not just one output, has no in-place form (EBB_INPLACE)",
                        who);
    if ((op->flags & EBB_RANDOM) && (x->key_at < 0 || op->attrs[x->key_at].type != EBB_A_INT))
        return ebb_fail(e, EBB_E_PLUGIN, "%s: a random op (EBB_RANDOM) has an integer attribute called key", who);
    if (op->fwd && !op->fwd[0].dtype) return ebb_fail(e, EBB_E_PLUGIN, "%s: its kernel table is empty", who);
    if (op->n_vjp > (x->variadic ? 1u : x->n_in))
        return ebb_fail(e, EBB_E_PLUGIN, "%s: it has %zu rules for %d inputs", who, op->n_vjp, x->n_in);
    if (op->n_vjp && !op->vjp)
        return ebb_fail(e, EBB_E_PLUGIN, "%s: it counts %zu rules but lists none", who, op->n_vjp);
    for (size_t i = 0; i < op->n_vjp; i++) {
        const uint64_t known = (x->variadic ? EBB_X_ALL : EBB_X(x->n_in) - 1) | (EBB_Y(x->n_out) - EBB_Y(0));
        if (op->vjp[i].reads & ~known)
            return ebb_fail(e, EBB_E_PLUGIN,
                            "%s: rule %zu reads an input or output that the signature does not have", who, i);
    }
    for (size_t i = 0; i < op->n_pull; i++)
        if (!op->pull || op->pull[i].input < 0 || op->pull[i].input >= x->n_in || x->variadic || x->n_out != 1 ||
            !op->pull[i].kernel || (size_t)op->pull[i].input >= op->n_vjp || !op->vjp[op->pull[i].input].rule)
            return ebb_fail(e, EBB_E_PLUGIN, "%s: pull %zu needs a kernel and an input that has a rule", who, i);
    for (size_t i = 0; i < op->n_pull; i++)
        if (op->pull[i].reads & ~op->vjp[op->pull[i].input].reads)
            return ebb_fail(e, EBB_E_PLUGIN,
                            "%s: pull %zu reads what the rule of its input does not, so it is not saved", who, i);
    for (size_t i = 0; i < op->n_attrs; i++) {
        const size_t size = ebb__attr_size(op->attrs[i].type);
        if (!size || !op->attrs[i].name || op->attrs[i].offset + size > op->attrs_size)
            return ebb_fail(e, EBB_E_PLUGIN, "%s: attribute %zu has no type or lies outside its struct", who, i);
    }
    if (op->axes && (x->axes_at < 0 || x->n_letters != 1))
        return ebb_fail(e, EBB_E_PLUGIN,
                        "%s: .axes names the attribute %s, which it lacks, or its signature has not exactly one core dim",
                        who, op->axes);
    return EBB_OK;
}

static ebb__entry *entry_new(ebb *e, const ebb_op *op, uint32_t plugin, bool is_pull) {
    char who[120];
    if (op->size < offsetof(ebb_op, tries) + sizeof op->tries)
        return ebb_fail(e, EBB_E_PLUGIN, "an op's declaration has size %u, too small", op->size), NULL;
    if (!is_pull && !ebb__identifier(op->name)) {
        ebb_fail(e, EBB_E_PLUGIN,
                 "\"%.60s\" cannot be an op's name: letters, digits, '_' and '.', not a digit first",
                 op->name ? op->name : "NULL");
        return NULL;
    }
    snprintf(who, sizeof who, "op %s", op->name);
    if (!is_pull && ebb__find(e, op->name, 0)) {
        const ebb__entry *old = ebb__find(e, op->name, 0);
        ebb_fail(e, EBB_E_PLUGIN, "%s exists already: plugin %s (%s) has it", who,
                 e->reg->plugins[old->plugin].entry->name, e->reg->plugins[old->plugin].path);
        return NULL;
    }
    ebb__entry *x = (ebb__entry *)ebb__get0(e, sizeof *x);
    if (!x) return NULL;
    x->op = op;
    x->hash = ebb_hash(op->name);
    x->plugin = plugin;
    if (signature_of(e, who, op->sig, x) != EBB_OK) goto fail;
    x->axes_at = (int8_t)attr_index(op, op->axes);
    x->keepdim_at = (int8_t)attr_index(op, "keepdim");
    x->dtype_at = (int8_t)attr_index(op, "dtype");
    if (x->dtype_at >= 0 && op->attrs[x->dtype_at].type != EBB_A_DTYPE) x->dtype_at = -1;
    x->key_at = op->flags & EBB_RANDOM ? (int8_t)attr_index(op, "key") : -1;
    if (declaration_ok(e, op, x, who) != EBB_OK) goto fail;
    if (op->infer || op->view || op->axes) x->pointwise = false;
    x->has_kernel = op->fwd != NULL;
    for (size_t i = 0; i < op->n_attrs; i++) x->needs_attrs = x->needs_attrs || !op->attrs[i].def;
    for (size_t i = 0; i < op->n_attrs; i++)
        if (op->attrs[i].type == EBB_A_ENUM || op->attrs[i].type == EBB_A_INTS || op->attrs[i].type == EBB_A_FLOATS ||
            op->attrs[i].type == EBB_A_TEXT || op->attrs[i].lo != 0 || op->attrs[i].hi != 0)
            x->has_ranges = true;
    ebb__kernels_of(e, op->fwd, x->ref.fn);
    x->defaults = ebb__get0(e, op->attrs_size ? op->attrs_size : 1);
    if (!x->defaults) goto fail;
    if (!is_pull) {
        if (ebb__attrs_defaults(e, who, op->attrs, op->n_attrs, x->defaults) != EBB_OK) {
            if (e->code == EBB_E_ATTR) e->code = EBB_E_PLUGIN;
            goto fail;
        }
        if (op->n_pull) {
            x->pull = (ebb__entry **)ebb__get0(e, sizeof *x->pull * x->n_in);
            if (!x->pull) goto fail;
            for (size_t i = 0; i < op->n_pull; i++)
                if (!(x->pull[op->pull[i].input] = pull_new(e, x, &op->pull[i]))) goto fail;
        }
    }
    return x;
fail:
    entry_free(e, x);
    return NULL;
}

/* ---- registering ---- */

static bool table_add(ebb *e, ebb__entry *x) {
    ebb__registry *r = e->reg;
    if (!ebb__grow(e, &r->ops, &r->cap_ops, r->n_ops, 1, sizeof *r->ops)) return false;
    if ((r->n_ops + 1) * 2 > r->table_size) {
        const size_t size = r->table_size ? r->table_size * 2 : 256;
        ebb__entry **t = (ebb__entry **)ebb__get0(e, size * sizeof *t);
        if (!t) return false;
        ebb__put(e, r->table, r->table_size * sizeof *t);
        r->table = t;
        r->table_size = size;
        for (size_t i = 0; i < r->n_ops; i++) {
            size_t at = r->ops[i]->hash & (size - 1);
            while (t[at]) at = (at + 1) & (size - 1);
            t[at] = r->ops[i];
        }
    }
    size_t at = x->hash & (r->table_size - 1);
    while (r->table[at]) at = (at + 1) & (r->table_size - 1);
    r->table[at] = x;
    r->ops[r->n_ops++] = x;
    return true;
}

static void table_cut(ebb *e, size_t n) {
    ebb__registry *r = e->reg;
    while (r->n_ops > n) entry_free(e, r->ops[--r->n_ops]);
    if (!r->table) return;
    memset(r->table, 0, r->table_size * sizeof *r->table);
    for (size_t i = 0; i < n; i++) {
        size_t at = r->ops[i]->hash & (r->table_size - 1);
        while (r->table[at]) at = (at + 1) & (r->table_size - 1);
        r->table[at] = r->ops[i];
    }
}

ebb_status ebb__register(ebb *e, const ebb_plugin *given, const char *path) {
    ebb__registry *r = e->reg;
    const size_t before = r->n_ops;
    const ebb_plugin *p = ebb__whole_entry(e, given);
    if (!p) return e->code;
    for (size_t i = 0; i < r->n_plugins; i++)
        if (!strcmp(r->plugins[i].entry->name, p->name))
            return ebb_fail(e, EBB_E_PLUGIN, "a plugin called %s is loaded already, from %s", p->name,
                            r->plugins[i].path);
    if (!ebb__grow(e, &r->plugins, &r->cap_plugins, r->n_plugins, 1, sizeof *r->plugins)) return e->code;
    char *copy = ebb__strdup(e, path);
    if (!copy) return e->code;
    r->plugins[r->n_plugins++] = (ebb__plugin){p, given, copy};
    ebb__others_ok(e, p);
    for (const ebb_op *const *op = p->ops; e->code == EBB_OK && op && *op; op++) {
        ebb__entry *x = entry_new(e, *op, (uint32_t)(r->n_plugins - 1), false);
        if (x && table_add(e, x)) continue;
        if (x) entry_free(e, x);
    }
    if (e->code == EBB_OK) return EBB_OK;
    table_cut(e, before);
    r->n_plugins--;
    ebb__strfree(e, copy);
    return e->code;
}

ebb_status ebb__registry_open(ebb *e) {
    e->reg = (ebb__registry *)ebb__get0(e, sizeof *e->reg);
    if (!e->reg) return e->code;
    e->reg->backend = "portable";
    return EBB_OK;
}

void ebb__registry_close(ebb *e) { (void)e; /* all of it lies in the session's memory */ }
