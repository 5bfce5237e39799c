/* help.c - floor 7: `ebb help`: the commands, one command, one op, one optimizer or other plugin part. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "describe.h"
#include <ebb/plugin.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

void cli_command_help(const cli_command *c) {
    printf("ebb %s - %s\n\nusage: ebb %s %s\n", c->name, c->brief, c->name, c->args);
    if (c->n_options) putchar('\n');
    for (size_t i = 0; i < c->n_options; i++) {
        char left[48];
        const cli_option *o = &c->options[i];
        const char letter[] = {'-', o->letter, ',', ' ', 0};
        snprintf(left, sizeof left, "%s--%s %s", o->letter ? letter : "", o->name, o->arg ? o->arg : "");
        printf("  %-20s %s\n", left, o->help);
    }
    if (c->details) printf("\n%s\n", c->details);
}

static void row(const char *what, const char *text) {
    if (text && *text) printf("  %-12s%s\n", what, text);
}

static void attr_table(const ebb_attr *attrs, size_t n) {
    int name = 9, type = 4;
    for (size_t i = 0; i < n; i++) {
        const int a = (int)strlen(attrs[i].name),
                  t = (int)strlen(attrs[i].choices ? attrs[i].choices : describe_type(attrs[i].type));
        if (a > name) name = a;
        if (t > type) type = t;
    }
    if (n) printf("\n  %-*s  %-*s  default    range\n", name, "attribute", type, "type");
    for (size_t i = 0; i < n; i++) {
        const ebb_attr *a = &attrs[i];
        char range[64];
        printf("  %-*s  %-*s  %-10s %-12s %s\n", name, a->name, type,
               a->choices ? a->choices : describe_type(a->type),
               !a->def   ? "(required)"
               : *a->def ? a->def
                         : "(none)",
               describe_range(a, range, sizeof range), a->doc ? a->doc : "");
    }
}

/* Which inputs have a gradient, in words. */
static void print_gradients(const ebb_op *op, const ebb_sig *sig) {
    char list[256] = "";
    size_t at = 0;
    for (int i = 0; i < sig->n_x && op->n_vjp; i++) {
        const ebb_vjp_rule *v = &op->vjp[(size_t)i < op->n_vjp ? (size_t)i : op->n_vjp - 1];
        if (v->rule && at < sizeof list)
            at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", at ? ", " : "", sig->arg[i].name);
    }
    if (!op->n_vjp && op->compose) row("gradients", "those of the ops it is made of");
    else row("gradients", *list ? list : "none");
}

static void print_samples(const ebb_op *op) {
    for (size_t i = 0; i < op->n_domain; i++) {
        char text[96];
        snprintf(text, sizeof text, "%g .. %g  (input %zu%s, when verified)", op->domain[i].lo,
                 op->domain[i].hi, i, i + 1 == op->n_domain ? " and later ones" : "");
        row(i ? "" : "domain", text);
    }
    for (size_t i = 0; i < op->n_kinks; i++) {
        const ebb_kink *k = &op->kinks[i];
        char text[192];
        size_t at = 0;
        for (int d = 0; d < k->n && d < 4 && at < sizeof text; d++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%g", d ? ", " : "at ", k->x[d]);
        for (int d = 0; d < k->n && d < 4 && at < sizeof text; d++)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%g",
                                   d ? ", " : " the derivative is taken as ", k->dx[d]);
        if (k->attrs && *k->attrs && at < sizeof text)
            snprintf(text + at, sizeof text - at, "  (%s)", k->attrs);
        row(i ? "" : "kinks", text);
    }
}

static void op_help(const ebb *e, const ebb_op *op) {
    char text[512];
    ebb_sig sig = {0};
    printf("%s  %s\n", op->name, op->sig);
    if (op->doc) printf("%s\n", op->doc);
    putchar('\n');
    row("formula", op->math);
    row("reference", op->ref);
    row("plugin", ebb_op_plugin(e, op->name));
    if (!ebb_sig_parse(op->sig, &sig, NULL, 0)) print_gradients(op, &sig);
    size_t at = 0;
    *text = 0;
    for (const ebb_kernel *k = op->fwd; k && k->dtype && at < sizeof text; k++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", at ? ", " : "",
                               ebb_dtype_name((ebb_dtype)k->dtype));
    row("dtypes", text);
    print_samples(op);
    for (int i = 0; describe_flag(i); i++)
        if (op->flags >> i & 1) {
            snprintf(text, sizeof text, "%s: %s", describe_flag(i), describe_flag_meaning(i));
            row("flag", text);
        }
    attr_table(op->attrs, op->n_attrs);
    putchar('\n');
    row("C", describe_c_call(op, text, sizeof text));
    row("by name", describe_named_call(op, text, sizeof text));
    if (op->flags & EBB_INPLACE)
        printf("  %-12sebb_%s_, by name \"%s_\": the first input receives the result\n", "in place", op->name,
               op->name);
}

/* Optimizers, gradient functions, probes, backends and formats are plugins too. -> whether there is one of that name */
static bool part_help(const ebb *e, const char *name) {
    for (size_t i = 0; i < ebb_plugin_count(e); i++) {
        const ebb_plugin *p = ebb_plugin_at(e, i);
        for (const ebb_optim_decl *const *d = p->optims; d && *d; d++)
            if (!strcmp((*d)->name, name)) {
                printf("%s, an optimizer\n%s\n\n", name, (*d)->doc ? (*d)->doc : "");
                row("update", (*d)->math);
                row("reference", (*d)->ref);
                row("plugin", p->name);
                attr_table((*d)->attrs, (*d)->n_attrs);
                printf("\n  %-12sebb_optim_new(e, \"%s\", \"lr=1e-3\")\n", "C", name);
                return true;
            }
        for (const ebb_gradfn_decl *const *d = p->gradfns; d && *d; d++)
            if (!strcmp((*d)->name, name)) {
                printf("%s, a function of all gradients\n%s\n", name, (*d)->doc ? (*d)->doc : "");
                attr_table((*d)->attrs, (*d)->n_attrs);
                printf("\n  %-12sebb_grads(e, \"%s\", NULL)\n", "C", name);
                return true;
            }
        for (const ebb_probe_decl *const *d = p->probes; d && *d; d++)
            if (!strcmp((*d)->name, name)) {
                printf("%s, a probe\n%s\n", name, (*d)->doc ? (*d)->doc : "");
                attr_table((*d)->attrs, (*d)->n_attrs);
                printf("\n  %-12sebb_probe_on(e, \"%s\", NULL)\n", "C", name);
                return true;
            }
        for (const ebb_backend_decl *const *d = p->backends; d && *d; d++)
            if (!strcmp((*d)->name, name)) {
                printf("%s, a backend\n%s\n\n  %-12sebb_backend_use(e, \"%s\")\n", name,
                       (*d)->doc ? (*d)->doc : "", "C", name);
                return true;
            }
    }
    return false;
}

static int topic_help(const char *topic) {
    const cli_command *c = cli_command_find(topic);
    if (c) {
        cli_command_help(c);
        return CLI_OK;
    }
    ebb *e = cli_open(0, 0);
    if (!e) return CLI_FAILED;
    int code = CLI_OK;
    const ebb_op *op = ebb_op_find(e, topic);
    if (op) op_help(e, op);
    else if (!part_help(e, topic)) {
        const char *near = ebb_op_nearest(e, topic);
        code = near ? cli_fail("no op or command '%s'; did you mean %s?", topic, near)
                    : cli_fail("no op or command '%s'; `ebb ops` lists the ops, `ebb help` the commands", topic);
    }
    ebb_close(e);
    return code;
}

static int run(int argc, char **argv) {
    const int code = cli_parse(&cli_help, argc, argv, NULL);
    if (code != CLI_GO_ON) return code;
    if (argc - optind > 1) return cli_usage(&cli_help, "one topic at a time");
    if (optind < argc) return topic_help(argv[optind]);
    cli_overview();
    return CLI_OK;
}

const cli_command cli_help = {
    .name = "help",
    .args = "[COMMAND | OP | OPTIMIZER]",
    .brief = "explain a command, an op, an optimizer ...",
    .details = "examples:\n  ebb help train\n  ebb help cross_entropy\n  ebb help adamw",
    .run = run,
};
