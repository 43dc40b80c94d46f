/* Random123 refuses machines that it was not tried on. WebAssembly counts as one that it was: little-endian, integers of the usual
 * sizes; that the same numbers come out is what the test of page against native shows. Included before everything else. */
#define __arm__ 1
#include <Random123/philox.h>
#undef __arm__
