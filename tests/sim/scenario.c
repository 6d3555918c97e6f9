#include "scenario.h"

extern const struct scenario scenario_mix;
extern const struct scenario scenario_converge;
extern const struct scenario scenario_attack;
extern const struct scenario scenario_smoke;

const struct scenario *const scenarios[] = {&scenario_mix, &scenario_converge, &scenario_attack,
                                            &scenario_smoke};
const unsigned scenario_count = sizeof scenarios / sizeof scenarios[0];
