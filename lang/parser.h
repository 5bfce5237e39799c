/* parser.h - floor 6: what the two halves of the parser share: parser.c (statements) and expression.c. Private to lang/. */
#ifndef EBB_LANG_PARSER_H
#define EBB_LANG_PARSER_H
#include "model.h"

typedef struct ebb__parser {
    ebb_model *m;
    ebb__tree *tree;
    ebb__lexer lexer;
    ebb__token t;      /* the one that is looked at */
    ebb_span last;     /* of the token before it */
    ebb__def *def;     /* the one whose body is read, NULL: none */
    ebb__names *names; /* variables of the model or of def */
    int nesting;
} ebb__parser;

/* All of these return NULL or false when the model has a problem. */
ebb__node *ebb__parse_expression(ebb__parser *p);
ebb__node *ebb__parse_postfix(ebb__parser *p); /* an operand with its calls and indices */
ebb__node *ebb__parse_init(ebb__parser *p);    /* kaiming, normal(std=0.1): behind ~ */

ebb__node *ebb__node_new(ebb__parser *p, int kind, ebb_span span);
bool ebb__kid_add(ebb__parser *p, ebb__node *of, ebb__node *kid); /* also of NULL, which fails */
void ebb__span_to(ebb_span *s, const ebb_span *end);              /* s now reaches to the end of `end` */
const char *ebb__name_of_token(ebb__parser *p);                   /* interned */
void ebb__advance(ebb__parser *p);
bool ebb__enter(ebb__parser *p); /* one bracket or block deeper */

static inline bool ebb__at_symbol(const ebb__parser *p, int symbol) {
    return p->t.kind == T_SYMBOL && p->t.symbol == symbol;
}
/* The text of the token is this word. */
bool ebb__at_word(const ebb__parser *p, const char *word);
bool ebb__expect(ebb__parser *p, int symbol, const char *what); /* past it; what: "behind the name" */
/* "expected X, found Y" at the token. -> false */
bool ebb__unexpected(ebb__parser *p, const char *expected);

#endif
