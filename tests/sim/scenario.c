#include "scenario.h"

extern const struct scenario scenario_mix;
extern const struct scenario scenario_converge;
extern const struct scenario scenario_attack;
extern const struct scenario scenario_smoke;
extern const struct scenario scenario_engine;

const struct scenario *const scenarios[] = {&scenario_mix, &scenario_converge, &scenario_attack,
                                            &scenario_smoke, &scenario_engine};
const unsigned scenario_count = sizeof scenarios / sizeof scenarios[0];
