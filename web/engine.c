/* engine.c - floor 7: the program that a page loads: nothing but the library, whose functions are exported. */
#include <ebb/ebb.h>

int main(void) { return 0; }
