#include "scenario.h"

extern const struct scenario scenario_mix;
extern const struct scenario scenario_converge;
extern const struct scenario scenario_attack;
extern const struct scenario scenario_smoke;
extern const struct scenario scenario_engine;
extern const struct scenario scenario_frames;
extern const struct scenario scenario_rotate;

const struct scenario *const scenarios[] = {&scenario_mix,   &scenario_converge, &scenario_attack,
                                            &scenario_smoke, &scenario_engine,   &scenario_frames,
                                            &scenario_rotate};
const unsigned scenario_count = sizeof scenarios / sizeof scenarios[0];
