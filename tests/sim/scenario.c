#include "scenario.h"

extern const struct scenario scenario_smoke;
extern const struct scenario scenario_engine;

const struct scenario *const scenarios[] = {&scenario_smoke, &scenario_engine};
const unsigned scenario_count = sizeof scenarios / sizeof scenarios[0];
