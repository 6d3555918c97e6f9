#include "scenario.h"

extern const struct scenario scenario_smoke;

const struct scenario *const scenarios[] = {&scenario_smoke};
const unsigned scenario_count = sizeof scenarios / sizeof scenarios[0];
