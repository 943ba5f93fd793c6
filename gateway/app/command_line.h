#pragma once

namespace tidegate::app {

/// The program. Exit codes: 0 done, 1 failed while running, 64 wrong usage, 65 what is stored
/// is damaged, 78 the configuration is wrong (EX_CONFIG).
int command_line(int argc, char** argv);

}  // namespace tidegate::app
