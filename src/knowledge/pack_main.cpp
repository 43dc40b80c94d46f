// Build step: knowledge-pack [--page] KNOWLEDGE_DIR OUT_FILE. With --page without what only studies, simulation and the checks of
// the knowledge base itself need. Refuses a knowledge base with faults.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <string_view>
#include <utility>

#include "knowledge/pack.h"

int main(int argc, char** argv) {
  using namespace dorsalgia;
  const bool page = argc > 1 && std::string_view(argv[1]) == "--page";
  if (argc != 3 + page) {
    fmt::print(stderr, "usage: knowledge-pack [--page] KNOWLEDGE_DIR OUT_FILE\n");
    return 2;
  }
  argv += page;
  Loaded loaded = load_knowledge_folder(argv[1]);
  if (loaded.complaints.empty()) loaded.complaints = check_knowledge(loaded.knowledge);
  for (const auto& c : loaded.complaints) fmt::print(stderr, "{}/{}\n", argv[1], c.text());
  if (!loaded.complaints.empty()) return 2;
  std::ofstream out(argv[2], std::ios::binary);
  out << (page ? pack_for_page(std::move(loaded.knowledge)) : pack_knowledge(loaded.knowledge));
  return out ? 0 : 3;
}
