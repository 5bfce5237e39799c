/* no_entry.c - bad plugin: a shared object like any other, without the entry.
 * expect: plugin: no ebb_plugin_entry */
#include <ebb/op.h>

EBB_EXPORT int not_an_entry(void);
int not_an_entry(void) { return 1; }
