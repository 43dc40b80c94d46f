// Build step: knowledge-pack KNOWLEDGE_DIR OUT_FILE. Refuses a knowledge base with faults.
#include <fmt/format.h>

#include <cstdio>
#include <fstream>

#include "knowledge/knowledge.h"

int main(int argc, char** argv) {
  using namespace dorsalgia;
  if (argc != 3) {
    fmt::print(stderr, "usage: knowledge-pack KNOWLEDGE_DIR OUT_FILE\n");
    return 2;
  }
  Loaded loaded = load_knowledge_folder(argv[1]);
  if (loaded.complaints.empty()) loaded.complaints = check_knowledge(loaded.knowledge);
  for (const auto& c : loaded.complaints) fmt::print(stderr, "{}/{}\n", argv[1], c.text());
  if (!loaded.complaints.empty()) return 2;
  std::ofstream out(argv[2], std::ios::binary);
  out << pack_knowledge(loaded.knowledge);
  return out ? 0 : 3;
}
