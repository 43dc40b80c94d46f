// The knowledge this program was built with: the bytes of builtin.S.
#include "knowledge/knowledge.h"

extern "C" const char dorsalgia_knowledge_begin[];
extern "C" const char dorsalgia_knowledge_end[];

namespace dorsalgia {

Knowledge builtin_knowledge() {
  return unpack_knowledge(dorsalgia_knowledge_begin, static_cast<std::size_t>(dorsalgia_knowledge_end - dorsalgia_knowledge_begin));
}

}  // namespace dorsalgia
