/* ops.c - floor 7: `ebb ops`: lists the ops, for people or as JSON with everything their declarations say. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "describe.h"
#include "json.h"
#include <getopt.h>
#include <string.h>

typedef struct options {
    bool json, all;
} options;

static const cli_option ops_options[] = {
    {.name = "json", CLI_FLAG, offsetof(options, json), NULL, "everything the declarations say, as JSON", 0, 0},
    {.name = "all", CLI_FLAG, offsetof(options, all), NULL, "also the ops that only serve other ops' rules", 0, 0},
};

static bool shown(const ebb_op *op, const options *o) { return o->all || !(op->flags & EBB_INTERNAL); }

static void print_table(const ebb *e, const options *o) {
    int name = 4, sig = 9;
    size_t count = 0, hidden = 0;
    for (size_t i = 0; i < ebb_op_count(e); i++) {
        const ebb_op *op = ebb_op_at(e, i);
        if (!shown(op, o)) {
            hidden++;
            continue;
        }
        count++;
        if ((int)strlen(op->name) > name) name = (int)strlen(op->name);
        if ((int)strlen(op->sig) > sig && strlen(op->sig) < 30) sig = (int)strlen(op->sig);
    }
    const char *family = "";
    for (size_t i = 0; i < ebb_op_count(e); i++) {
        const ebb_op *op = ebb_op_at(e, i);
        if (!shown(op, o)) continue;
        const char *from = ebb_op_plugin(e, op->name);
        if (from && strcmp(from, family)) {
            printf("%s%s\n", *family ? "\n" : "", from);
            family = from;
        }
        printf("  %-*s  %-*s  %s\n", name, op->name, sig, op->sig, op->doc ? op->doc : "");
    }
    printf("\n%zu ops", count);
    if (hidden) printf(" and %zu that serve their rules (--all)", hidden);
    puts("; `ebb help OP` explains one");
}

static void json_attr(json *j, const ebb_attr *a) {
    char text[64];
    json_begin(j, NULL, '{');
    json_text(j, "name", a->name);
    json_text(j, "type", describe_type(a->type));
    json_text(j, "default", a->def);
    json_text(j, "doc", a->doc);
    if (a->choices) json_text(j, "choices", a->choices);
    if (*describe_range(a, text, sizeof text)) {
        json_real(j, "min", a->lo);
        json_real(j, "max", a->hi);
    }
    json_end(j, '}');
}

static void json_operands(json *j, const ebb_sig *sig, const char *key, int from, int to) {
    json_begin(j, key, '[');
    for (int i = from; i < to; i++) {
        const ebb_sig_operand *a = &sig->arg[i];
        char dims[EBB_MAX_DIMS + 1];
        memcpy(dims, a->dim, sizeof a->dim);
        dims[a->ndim < EBB_MAX_DIMS ? a->ndim : EBB_MAX_DIMS] = 0;
        json_begin(j, NULL, '{');
        json_text(j, "name", a->name);
        json_text(j, "dims", dims);
        json_text(j, "dtype", a->dtype ? ebb_dtype_name((ebb_dtype)a->dtype) : NULL);
        json_bool(j, "optional", a->optional);
        json_bool(j, "variadic", a->variadic);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void json_lists(json *j, const ebb_op *op) {
    json_begin(j, "attrs", '[');
    for (size_t i = 0; i < op->n_attrs; i++) json_attr(j, &op->attrs[i]);
    json_end(j, ']');
    json_begin(j, "dtypes", '[');
    for (const ebb_kernel *k = op->fwd; k && k->dtype; k++)
        json_text(j, NULL, ebb_dtype_name((ebb_dtype)k->dtype));
    json_end(j, ']');
    json_begin(j, "domain", '[');
    for (size_t i = 0; i < op->n_domain; i++) {
        json_begin(j, NULL, '[');
        json_real(j, NULL, op->domain[i].lo);
        json_real(j, NULL, op->domain[i].hi);
        json_end(j, ']');
    }
    json_end(j, ']');
    json_begin(j, "kinks", '[');
    for (size_t i = 0; i < op->n_kinks; i++) {
        const ebb_kink *k = &op->kinks[i];
        json_begin(j, NULL, '{');
        json_text(j, "attrs", k->attrs);
        json_begin(j, "x", '[');
        for (int d = 0; d < k->n; d++) json_real(j, NULL, k->x[d]);
        json_end(j, ']');
        json_begin(j, "dx", '[');
        for (int d = 0; d < k->n; d++) json_real(j, NULL, k->dx[d]);
        json_end(j, ']');
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void json_op(json *j, const ebb *e, const ebb_op *op) {
    char text[512];
    ebb_sig sig;
    json_begin(j, NULL, '{');
    json_text(j, "name", op->name);
    json_text(j, "plugin", ebb_op_plugin(e, op->name));
    json_text(j, "signature", op->sig);
    json_text(j, "math", op->math);
    json_text(j, "doc", op->doc);
    json_text(j, "reference", op->ref);
    if (!ebb_sig_parse(op->sig, &sig, NULL, 0)) {
        json_operands(j, &sig, "inputs", 0, sig.n_x);
        json_operands(j, &sig, "outputs", sig.n_x, sig.n_x + sig.n_y);
    }
    json_begin(j, "flags", '[');
    for (int i = 0; describe_flag(i); i++)
        if (op->flags >> i & 1) json_text(j, NULL, describe_flag(i));
    json_end(j, ']');
    json_lists(j, op);
    json_bool(j, "differentiable", describe_differentiable(op));
    json_int(j, "fused_pulls", (int64_t)op->n_pull);
    json_text(j, "axes", op->axes);
    json_text(j, "c", describe_c_call(op, text, sizeof text));
    json_end(j, '}');
}

static int run(int argc, char **argv) {
    options o = {0};
    const int code = cli_parse(&cli_ops, argc, argv, &o);
    if (code != CLI_GO_ON) return code;
    if (optind < argc)
        return cli_usage(&cli_ops, "takes no '%s'; `ebb help %s` explains an op", argv[optind], argv[optind]);
    ebb *e = cli_open(0, 0);
    if (!e) return CLI_FAILED;
    if (o.json) {
        json j = {.to = stdout};
        json_begin(&j, NULL, '[');
        for (size_t i = 0; i < ebb_op_count(e); i++)
            if (shown(ebb_op_at(e, i), &o)) json_op(&j, e, ebb_op_at(e, i));
        json_end(&j, ']');
    } else print_table(e, &o);
    ebb_close(e);
    return CLI_OK;
}

const cli_command cli_ops = {
    .name = "ops",
    .args = "[--all] [--json]",
    .brief = "list the ops",
    .details = "Signatures are NumPy's: (m,k),(k,n)->(m,n) names the dims an op works on; dims before them broadcast.\n"
               "():i are int64 indices, ():b is bool, ? is an optional input, * any number of them.",
    .options = ops_options,
    .n_options = sizeof ops_options / sizeof *ops_options,
    .run = run,
};
