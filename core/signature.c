/* signature.c - floor 2: the parser of signatures, "x(m,k), y(k,n)? -> (m,n)"; the grammar is in <ebb/op.h>. */
#include "signature.h"
#include <ctype.h>
#include <stdio.h>

typedef struct parser {
    const char *text, *at;
    char *why;
    size_t why_n;
    bool failed;
} parser;

static bool bad(parser *p, const char *words) {
    if (!p->failed && p->why_n)
        snprintf(p->why, p->why_n, "%s at character %d of \"%.200s\"", words, (int)(p->at - p->text) + 1, p->text);
    p->failed = true;
    return false;
}

static char look(parser *p) {
    while (*p->at == ' ') p->at++;
    return *p->at;
}

static bool take(parser *p, char c) {
    if (look(p) != c) return false;
    p->at++;
    return true;
}

static bool operand(parser *p, ebb_sig_operand *a, bool output) {
    *a = (ebb_sig_operand){0};
    size_t n = 0;
    look(p);
    while (isalnum((unsigned char)*p->at) || *p->at == '_') {
        if (n + 1 >= sizeof a->name) return bad(p, "an operand's name is too long");
        a->name[n++] = *p->at++;
    }
    if (n && isdigit((unsigned char)a->name[0])) return bad(p, "an operand's name begins with a digit");
    if (!take(p, '(')) return bad(p, "'(' is expected");
    if (!take(p, ')')) {
        do {
            const char c = look(p);
            if (!islower((unsigned char)c)) return bad(p, "a core dim is one lower-case letter");
            if (a->ndim == EBB_MAX_DIMS) return bad(p, "too many core dims");
            a->dim[a->ndim++] = c;
            p->at++;
        } while (take(p, ','));
        if (!take(p, ')')) return bad(p, "',' or ')' is expected");
    }
    if (take(p, '?')) a->optional = true;
    else if (take(p, '*')) a->variadic = true;
    if (output && a->optional) return bad(p, "an output is never optional");
    if (take(p, ':')) {
        const char c = look(p);
        if (c == 'i') a->dtype = EBB_I64;
        else if (c == 'b') a->dtype = EBB_BOOL;
        else return bad(p, "a type is i or b");
        p->at++;
        if (take(p, '<')) {
            const char d = look(p);
            if (a->dtype != EBB_I64 || !islower((unsigned char)d))
                return bad(p, "'<' bounds an index by a core dim");
            a->below = d;
            p->at++;
        }
    }
    return true;
}

/* What is wrong between operands: letters that no input has. */
static bool letters_known(parser *p, const ebb_sig *s, bool free_outputs) {
    for (int i = 0; i < s->n_x + s->n_y; i++)
        for (int d = 0; d <= s->arg[i].ndim; d++) {
            const char c = d < s->arg[i].ndim ? (i < s->n_x ? 0 : s->arg[i].dim[d]) : s->arg[i].below;
            bool found = !c || free_outputs;
            for (int j = 0; j < s->n_x && !found; j++)
                found = memchr(s->arg[j].dim, c, (size_t)s->arg[j].ndim) != NULL;
            if (!found) return bad(p, "a letter that no input has");
        }
    return true;
}

ebb_status ebb_sig_parse(const char *text, ebb_sig *out, char *why, size_t why_n) {
    if (why_n && why) why[0] = 0;
    if (!out) return EBB_E_ARG;
    *out = (ebb_sig){0};
    parser p = {text ? text : "", text ? text : "", why, why ? why_n : 0, false};
    bool variadic = false;
    while (look(&p) != '-' || out->n_x) { /* nothing before the arrow: an op that makes a tensor */
        if (out->n_x == 15) return bad(&p, "too many operands"), EBB_E_ARG;
        if (variadic) return bad(&p, "the variadic input must be the last"), EBB_E_ARG;
        if (!operand(&p, &out->arg[out->n_x], false)) return EBB_E_ARG;
        variadic = out->arg[out->n_x++].variadic;
        if (!take(&p, ',')) break;
    }
    if (!take(&p, '-') || *p.at != '>') return bad(&p, "\"->\" is expected"), EBB_E_ARG;
    p.at++;
    do {
        if (out->n_x + out->n_y == 16) return bad(&p, "too many operands"), EBB_E_ARG;
        if (!operand(&p, &out->arg[out->n_x + out->n_y], true)) return EBB_E_ARG;
        if (out->n_y && out->arg[out->n_x + out->n_y].variadic)
            return bad(&p, "outputs of any number are the only ones"), EBB_E_ARG;
        out->n_y++;
    } while (take(&p, ','));
    if (look(&p)) return bad(&p, "nothing more is expected"), EBB_E_ARG;
    if (out->arg[out->n_x].variadic && out->n_y > 1)
        return bad(&p, "outputs of any number are the only ones"), EBB_E_ARG;
    if (!letters_known(&p, out, false)) return EBB_E_ARG;
    for (int i = 0; i < out->n_x + out->n_y; i++)
        if (!out->arg[i].name[0]) {
            out->arg[i].name[0] = i < out->n_x ? (char)('a' + i) : 'y';
            if (i > out->n_x) snprintf(out->arg[i].name + 1, sizeof out->arg[i].name - 1, "%d", i - out->n_x);
        }
    return EBB_OK;
}

const char *ebb__operand_name(const char *sig, int i, char *buf, size_t n) {
    ebb_sig s;
    if (ebb_sig_parse(sig, &s, NULL, 0) != EBB_OK) s.n_x = 0;
    if (s.n_x && i >= s.n_x - 1 && s.arg[s.n_x - 1].variadic)
        snprintf(buf, n, "%s[%d]", s.arg[s.n_x - 1].name, i - s.n_x + 1);
    else if (i < s.n_x) snprintf(buf, n, "%s", s.arg[i].name);
    else snprintf(buf, n, "%d", i);
    return buf;
}
