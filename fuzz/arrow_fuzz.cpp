// Any Arrow table through the C interface: an error code, or results of the right shape; never a crash, never a byte read beyond a buffer.
//
// The bytes choose the columns (names, types, dictionaries), lengths, offsets, validity, texts, and lies about them. Lies are of
// the kind that can be found out: lengths against each other, buffers that are missing, offsets of text that fall, codes outside
// a dictionary. How large a buffer is the interface does not say, so buffers have what a truthful producer would have given,
// exactly: one byte further is a fault that the sanitizer sees.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "dorsalgia.h"

namespace {

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max() - 3;

void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

const dorsalgia_model* model() {
  static const dorsalgia_model* loaded = [] {
    dorsalgia_model* m = nullptr;
    demand(dorsalgia_load(&m, nullptr) == DORSALGIA_OK, "the model does not load");
    return m;
  }();
  return loaded;
}

const char* const kNames[] = {"id",          "age",         "sex",           "setting",        "location", "duration_weeks", "night_pain",
                              "weight_loss", "fever",       "sensory_level", "history_breast", "crp",      "hb_g_dl",        "pregnancy",
                              "weakness",    "truth_level", "fevre",         "smoker",         "esr",      "babinski",       "ID"};
const char* const kFormats[] = {"n", "b",      "c", "C", "s",  "S", "i",   "I",  "l", "L",   "f",
                                "g", "d:10,2", "u", "U", "vu", "e", "tdD", "+l", "z", "d:x", ""};
const char* const kWords[] = {"present",
                              "absent",
                              "unknown",
                              "male",
                              "female",
                              "T10",
                              "lumbar",
                              "back",
                              "primary_care",
                              "never",
                              "1 to 5 years ago",
                              "",
                              "yes",
                              "a word that is too long to be kept within a view of sixteen bytes"};

// One column and all that it owns. Buffers are of exactly the size that its lengths call for.
struct Column {
  std::string name, format, code_format;
  ArrowSchema schema{}, entry_schema{};
  ArrowArray array{}, entries{};
  std::vector<std::unique_ptr<std::uint8_t[]>> memory;
  std::vector<const void*> buffers, entry_buffers;
  bool nameless = false;
};

int released = 0;

// Lies are rare, and none are told once the input has run out (it then yields the least of a range).
bool rarely(FuzzedDataProvider& data, int one_in) { return data.ConsumeIntegralInRange(1, one_in) == one_in; }

void* given(Column& c, FuzzedDataProvider& data, std::size_t size) {
  c.memory.push_back(std::make_unique<std::uint8_t[]>(size));
  std::uint8_t* at = c.memory.back().get();
  // A short stretch of the input, again and again.
  const std::vector<std::uint8_t> bytes = data.ConsumeBytes<std::uint8_t>(data.ConsumeIntegralInRange<std::size_t>(1, 24));
  if (!bytes.empty())
    for (std::size_t i = 0; i < size; ++i) at[i] = bytes[i % bytes.size()];
  return at;
}

std::size_t width_of(const std::string& f) {
  if (f.empty()) return 8;
  switch (f[0]) {
    case 'c':
    case 'C': return 1;
    case 's':
    case 'S':
    case 'e': return 2;
    case 'i':
    case 'I':
    case 'f': return 4;
    case 'd': return 16;
    default: return 8;
  }
}

// Buffers of `size` values of `format`.
std::vector<const void*> buffers_of(Column& c, FuzzedDataProvider& data, const std::string& format, std::size_t size) {
  std::vector<const void*> out = {data.ConsumeBool() ? given(c, data, (size + 7) / 8) : nullptr};
  const auto words = [&](std::size_t n) {
    std::vector<std::string> made;
    for (std::size_t i = 0; i < n; ++i)
      made.emplace_back(data.ConsumeBool() ? data.PickValueInArray(kWords) : data.ConsumeRandomLengthString(20));
    return made;
  };
  if (format == "n") return {};
  if (format == "b") out.push_back(given(c, data, (size + 7) / 8));
  else if (format == "u" || format == "U") {
    const std::vector<std::string> some = words(4);
    std::string all;
    std::vector<std::int64_t> offsets = {0};
    for (std::size_t i = 0; i < size; ++i) all += some[i % some.size()], offsets.push_back(static_cast<std::int64_t>(all.size()));
    if (rarely(data, 6))  // an offset that falls, or is below 0
      offsets[data.ConsumeIntegralInRange<std::size_t>(0, size)] =
          data.ConsumeIntegralInRange<std::int64_t>(-3, static_cast<std::int64_t>(all.size()));
    const std::size_t width = format == "u" ? 4 : 8;
    auto* at = static_cast<std::uint8_t*>(given(c, data, width * offsets.size()));
    for (std::size_t i = 0; i < offsets.size(); ++i) std::memcpy(at + width * i, &offsets[i], width);
    out.push_back(at);
    void* bytes = given(c, data, all.size());
    std::memcpy(bytes, all.data(), all.size());
    out.push_back(all.empty() && data.ConsumeBool() ? nullptr : bytes);
  } else if (format == "vu") {
    const std::vector<std::string> some = words(3);
    std::string block;
    auto* at = static_cast<std::uint8_t*>(given(c, data, 16 * size));
    for (std::size_t i = 0; i < size; ++i) {
      const std::string& word = some[i % some.size()];
      std::int32_t view[4] = {static_cast<std::int32_t>(word.size()), 0, 0, static_cast<std::int32_t>(block.size())};
      std::memcpy(at + 16 * i, view, 16);
      if (word.size() <= 12) std::memcpy(at + 16 * i + 4, word.data(), word.size());
      else block += word;
    }
    if (size && rarely(data, 6)) {                           // a view of anything
      const auto lie = data.ConsumeBytes<std::uint8_t>(16);  // fewer, or none, once the input has run out
      std::copy(lie.begin(), lie.end(), at + 16 * data.ConsumeIntegralInRange<std::size_t>(0, size - 1));
    }
    void* bytes = given(c, data, block.size());
    std::memcpy(bytes, block.data(), block.size());
    auto* sizes = static_cast<std::int64_t*>(given(c, data, 8));
    const auto block_size = static_cast<std::int64_t>(block.size());
    std::memcpy(sizes, &block_size, 8);
    out.insert(out.end(), {at, bytes, sizes});
  } else {
    out.push_back(given(c, data, size * width_of(format)));
  }
  return out;
}

// Lengths and counts, that contradict each other now and then.
void describe(ArrowArray& array, std::vector<const void*>& buffers, FuzzedDataProvider& data, std::int64_t length, std::int64_t offset) {
  array.length = length, array.offset = offset;
  array.null_count = rarely(data, 8) ? kHuge : data.PickValueInArray<std::int64_t>({-1, 0, 1});
  if (rarely(data, 30) && !buffers.empty()) buffers.pop_back();
  if (rarely(data, 30) && !buffers.empty()) buffers[buffers.size() - 1] = nullptr;
  array.n_buffers = static_cast<std::int64_t>(buffers.size());
  array.buffers = rarely(data, 60) ? nullptr : buffers.data();
  array.release = rarely(data, 60) ? nullptr : [](ArrowArray* a) { a->release = nullptr; };
}

std::unique_ptr<Column> column(FuzzedDataProvider& data, std::int64_t rows) {
  auto c = std::make_unique<Column>();
  c->name = rarely(data, 10) ? data.ConsumeRandomLengthString(12) : data.PickValueInArray(kNames);
  c->format = data.PickValueInArray(kFormats);
  const bool coded = rarely(data, 3);
  const std::int64_t offset = data.ConsumeBool() ? 0 : data.ConsumeIntegralInRange<std::int64_t>(0, 70);
  std::int64_t length = rows;
  const int lie = data.ConsumeIntegralInRange(0, 40);
  if (lie == 5) length = rows + data.ConsumeIntegralInRange<std::int64_t>(-3, 3);
  const std::int64_t truly = std::max<std::int64_t>(0, length) + offset;
  c->schema.name = rarely(data, 60) ? nullptr : c->name.c_str();
  c->schema.flags = ARROW_FLAG_NULLABLE;
  c->schema.release = [](ArrowSchema* s) { s->release = nullptr; };
  const std::int64_t told_length = lie == 1 ? -1 : lie == 2 ? kHuge : length, told_offset = lie == 3 ? -8 : lie == 4 ? kHuge : offset;
  if (coded) {
    c->code_format = data.PickValueInArray({"c", "C", "s", "i", "l", "L", "f", "u"});
    c->schema.format = c->code_format.c_str();
    c->entry_schema.format = c->format.c_str();
    c->entry_schema.name = "";
    c->entry_schema.release = c->schema.release;
    c->schema.dictionary = &c->entry_schema;
    c->buffers = buffers_of(*c, data, c->code_format, static_cast<std::size_t>(truly));
    const std::int64_t entries = data.ConsumeIntegralInRange<std::int64_t>(0, 5);
    c->entry_buffers = buffers_of(*c, data, c->format, static_cast<std::size_t>(entries));
    describe(c->entries, c->entry_buffers, data, rarely(data, 20) ? -entries : entries, 0);
    if (!rarely(data, 20)) c->array.dictionary = &c->entries;
  } else {
    c->schema.format = rarely(data, 60) ? nullptr : c->format.c_str();
    c->buffers = buffers_of(*c, data, c->format, static_cast<std::size_t>(truly));
  }
  describe(c->array, c->buffers, data, told_length, told_offset);
  return c;
}

struct Table {
  std::vector<std::unique_ptr<Column>> columns;
  std::vector<ArrowSchema*> schemas;
  std::vector<ArrowArray*> arrays;
  std::unique_ptr<std::uint8_t[]> validity;
  std::vector<const void*> buffers;
  ArrowSchema schema{};
  ArrowArray array{};

  explicit Table(FuzzedDataProvider& data) {
    const bool long_one = rarely(data, 60);  // beyond one chunk of the kernel
    const std::int64_t rows = data.ConsumeIntegralInRange<std::int64_t>(0, long_one ? 2100 : 20);
    const std::int64_t offset = data.ConsumeBool() ? 0 : data.ConsumeIntegralInRange<std::int64_t>(0, rows);
    for (int n = data.ConsumeIntegralInRange(0, 7); n > 0; --n) columns.push_back(column(data, rows));
    for (auto& c : columns) schemas.push_back(&c->schema), arrays.push_back(&c->array);
    if (!arrays.empty() && rarely(data, 60)) arrays[0] = nullptr;
    schema.format = rarely(data, 60) ? "u" : "+s";
    schema.name = "";
    schema.n_children = static_cast<std::int64_t>(schemas.size());
    schema.children = rarely(data, 60) ? nullptr : schemas.data();
    schema.release = [](ArrowSchema* s) { s->release = nullptr; };
    array.length = rows - offset, array.offset = offset;
    const int lie = data.ConsumeIntegralInRange(0, 40);
    // Every column must be able to contradict it: lengths that no column has.
    if (lie == 4) array.length = -1;
    else if (lie == 1) array.length = kHuge;
    else if (lie == 2) array.offset = -1;
    else if (lie == 3 && array.length > 0) --array.length;
    array.null_count = data.PickValueInArray<std::int64_t>({0, 0, 0, -1, 1});
    validity = std::make_unique<std::uint8_t[]>(static_cast<std::size_t>(rows / 8 + 1));
    for (std::int64_t i = 0; i <= rows / 8; ++i) validity[static_cast<std::size_t>(i)] = data.ConsumeIntegral<std::uint8_t>();
    buffers = {data.ConsumeBool() ? validity.get() : nullptr};
    array.n_buffers = 1, array.buffers = buffers.data();
    array.n_children = static_cast<std::int64_t>(arrays.size()) + (rarely(data, 60) ? -1 : 0);
    array.children = arrays.data();
    array.release = [](ArrowArray* a) {
      ++released;
      a->release = nullptr;
    };
  }
};

void sound(const ArrowSchema& schema, const ArrowArray& array, std::int64_t rows) {
  demand(array.length == rows && array.offset == 0, "results of another length than the table");
  demand(array.n_children == schema.n_children, "results are not what their schema says");
  for (std::int64_t i = 0; i < array.n_children; ++i) {
    const ArrowArray& c = *array.children[i];
    const char format = schema.children[i]->format[0];
    demand(c.length == rows && c.null_count >= 0 && c.null_count <= rows, "a column of another length than the table");
    const auto* validity = static_cast<const std::uint8_t*>(c.buffers[0]);
    demand(c.null_count == 0 || validity, "nulls are counted and not marked");
    std::int64_t nulls = 0;
    for (std::int64_t r = 0; r < rows; ++r) {
      const bool known = !validity || (validity[r >> 3] >> (r & 7) & 1) != 0;
      nulls += !known;
      if (known && format == 'f') {
        const float p = static_cast<const float*>(c.buffers[1])[r];
        demand(p >= 0 && p <= 1.0001F, "no probability");
      }
      if (format == 'u') {
        const auto* offsets = static_cast<const std::int32_t*>(c.buffers[1]);
        demand(offsets[r] >= 0 && offsets[r + 1] >= offsets[r], "offsets that fall");
      }
    }
    demand(nulls == c.null_count, "nulls are miscounted");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  FuzzedDataProvider data(bytes, size);
  const char* outputs =
      data.PickValueInArray<const char*>({nullptr, "all", "probability", "urgency,levels", "wrong", "causes,stages,forecast", "next"});
  dorsalgia_table_options options = {sizeof options, outputs, data.ConsumeBool() ? "us" : nullptr, data.ConsumeBool() ? 1 : 0, 1};
  Table table(data);
  released = 0;
  const std::int64_t rows = table.array.length;
  // Next questions are worked out row by row: of thousands of rows that takes half a minute under sanitizers, and shows nothing new.
  if (rows > 100 && outputs != nullptr && std::strcmp(outputs, "next") == 0) options.outputs = "all";
  dorsalgia_error error = {sizeof error, -1, {}};
  ArrowSchema schema{};
  ArrowArray out{};
  const int described = dorsalgia_result_schema(model(), &table.schema, &options, &schema, &error);
  const int code = dorsalgia_assess_batch(model(), &table.schema, &table.array, &options, &out, &error);
  demand(code == error.code && code != DORSALGIA_INTERNAL, "an error of ours, or one without its code");
  demand(released == 1 && !table.array.release, "the table was not released once");
  if (code == DORSALGIA_OK) {
    demand(described == DORSALGIA_OK, "results without a schema");
    sound(schema, out, rows);
    out.release(&out);
  } else {
    demand(error.message[0] != 0 && !out.release, "an error without words, or with results");
    demand(std::memchr(error.message, 0, sizeof error.message) != nullptr, "words without an end");
  }
  if (described == DORSALGIA_OK) schema.release(&schema);
  return 0;
}
