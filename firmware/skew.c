#include "skew.h"

/* By insertion: there are a handful. */
static void sort(int64_t *values, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        int64_t value = values[i];
        unsigned at = i;
        for (; at > 0 && values[at - 1] > value; at--) {
            values[at] = values[at - 1];
        }
        values[at] = value;
    }
}

bool skew_is_within(int64_t *offsets_ns, unsigned count, int64_t bound_ns)
{
    if (count == 0) {
        return true;
    }
    sort(offsets_ns, count);
    int64_t low = offsets_ns[(count - 1) / 2]; /* the same as high, if the count is odd */
    int64_t high = offsets_ns[count / 2];
    int64_t median = low > 0 ? low : high < 0 ? high : 0;
    if (low == high) {
        median = low;
    }
    return median >= -bound_ns && median <= bound_ns;
}
