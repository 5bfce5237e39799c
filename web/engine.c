/* engine.c - floor 7: the module that a page loads: nothing but the library, whose functions are exported. */
#include <ebb/ebb.h>
