// dorsalgia serve: the one command that needs no knowledge, only a folder of files.
#pragma once

#include <CLI/CLI.hpp>

namespace dorsalgia::cli {

void add_serve(CLI::App& app);

}  // namespace dorsalgia::cli
