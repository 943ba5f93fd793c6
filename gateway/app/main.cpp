#include "gateway/app/command_line.h"

int main(int argc, char** argv) { return tidegate::app::command_line(argc, argv); }
