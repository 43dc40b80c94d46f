// Arrow tables made by hand, honest and lying ones, and the results read back.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dorsalgia.h"

namespace dorsalgia::test {

// One column: its buffers and how it calls itself. Everything lives as long as the Table.
struct TableColumn {
  std::string name, format;
  std::vector<std::vector<std::uint8_t>> buffers;  // buffers[0]: validity, empty when all are known
  std::int64_t length = 0, offset = 0, nulls = 0;
  std::shared_ptr<TableColumn> dictionary;
};

template <class T>
std::vector<std::uint8_t> bytes_of(const std::vector<T>& values) {
  std::vector<std::uint8_t> out(values.size() * sizeof(T) + 1);  // never null
  if (!values.empty()) std::memcpy(out.data(), values.data(), values.size() * sizeof(T));
  return out;
}

inline std::vector<std::uint8_t> bits_of(const std::vector<bool>& bits) {
  std::vector<std::uint8_t> out(bits.size() / 8 + 1);
  for (std::size_t i = 0; i < bits.size(); ++i)
    if (bits[i]) out[i / 8] = static_cast<std::uint8_t>(out[i / 8] | 1U << (i % 8));
  return out;
}

template <class T>
void mark_known(TableColumn& c, const std::vector<std::optional<T>>& values) {
  std::vector<bool> known;
  for (const auto& x : values) known.push_back(x.has_value()), c.nulls += !x.has_value();
  c.length = static_cast<std::int64_t>(values.size());
  if (c.nulls) c.buffers[0] = bits_of(known);
}

template <class T>
TableColumn numbers(const std::string& name, const std::string& format, const std::vector<std::optional<T>>& values) {
  TableColumn c{name, format, {{}, {}}, 0, 0, 0, nullptr};
  std::vector<T> plain;
  for (const auto& x : values) plain.push_back(x.value_or(T{77}));  // what stands under a null must not matter
  c.buffers[1] = bytes_of(plain);
  mark_known(c, values);
  return c;
}

inline TableColumn booleans(const std::string& name, const std::vector<std::optional<bool>>& values) {
  TableColumn c{name, "b", {{}, {}}, 0, 0, 0, nullptr};
  std::vector<bool> plain;
  for (const auto& x : values) plain.push_back(x.value_or(true));
  c.buffers[1] = bits_of(plain);
  mark_known(c, values);
  return c;
}

using Words = std::vector<std::optional<std::string>>;

inline TableColumn texts(const std::string& name, const Words& values) {
  TableColumn c{name, "u", {{}, {}, {}}, 0, 0, 0, nullptr};
  std::vector<std::int32_t> offsets = {0};
  std::string all;
  for (const auto& x : values) all += x.value_or(""), offsets.push_back(static_cast<std::int32_t>(all.size()));
  c.buffers[1] = bytes_of(offsets);
  c.buffers[2].assign(all.begin(), all.end());
  c.buffers[2].push_back(0);
  mark_known(c, values);
  return c;
}

// The same as 16-byte views into one block.
inline TableColumn views(const std::string& name, const Words& values) {
  TableColumn c{name, "vu", {{}, {}, {}, {}}, 0, 0, 0, nullptr};
  std::string block;
  for (const auto& x : values) {
    const std::string word = x.value_or("");
    std::int32_t view[4] = {static_cast<std::int32_t>(word.size()), 0, 0, 0};
    if (word.size() <= 12) std::memcpy(view + 1, word.data(), word.size());
    else std::memcpy(view + 1, word.data(), 4), view[3] = static_cast<std::int32_t>(block.size()), block += word;
    const auto* from = reinterpret_cast<const std::uint8_t*>(view);
    c.buffers[1].insert(c.buffers[1].end(), from, from + sizeof view);
  }
  c.buffers[1].push_back(0);
  const auto size = static_cast<std::int64_t>(block.size());
  c.buffers[2].assign(block.begin(), block.end());
  c.buffers[2].push_back(0);
  c.buffers[3] = bytes_of(std::vector<std::int64_t>{size});
  mark_known(c, values);
  return c;
}

inline TableColumn coded(const std::string& name, const Words& entries, const std::vector<std::optional<std::int8_t>>& codes) {
  TableColumn c = numbers<std::int8_t>(name, "c", codes);
  c.dictionary = std::make_shared<TableColumn>(texts("", entries));
  return c;
}

// Schema and batches over such columns. Arrays count how often they are released.
class Table {
 public:
  explicit Table(std::vector<TableColumn> columns, std::int64_t rows = -1) : columns_(std::move(columns)) {
    schema_ = schema_of("", "+s", nullptr);
    for (const TableColumn& c : columns_) fields_.push_back(schema_of(c.name.c_str(), c.format.c_str(), c.dictionary.get()));
    for (ArrowSchema& f : fields_) field_places_.push_back(&f);
    schema_.n_children = static_cast<std::int64_t>(fields_.size()), schema_.children = field_places_.data();
    for (const TableColumn& c : columns_) arrays_.push_back(array_of(c));
    for (ArrowArray& a : arrays_) array_places_.push_back(&a);
    array_.length = rows >= 0 ? rows : columns_.empty() ? 0 : columns_[0].length - columns_[0].offset;
    array_.n_buffers = 1, array_.buffers = no_buffer_;
    array_.n_children = static_cast<std::int64_t>(arrays_.size()), array_.children = array_places_.data();
    array_.release = release;
    array_.private_data = &released;
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  ArrowSchema* schema() { return &schema_; }
  ArrowArray batch() const { return array_; }  // a copy: each may be handed over once
  ArrowArray& top() { return array_; }
  ArrowArray& array(std::size_t column) { return arrays_[column]; }
  int released = 0;

 private:
  static void release(ArrowArray* a) {
    if (a->private_data) ++*static_cast<int*>(a->private_data);
    a->release = nullptr;
  }
  static void release(ArrowSchema* s) { s->release = nullptr; }

  ArrowSchema schema_of(const char* name, const char* format, const TableColumn* dictionary) {
    ArrowSchema out{};
    out.name = name, out.format = format, out.flags = ARROW_FLAG_NULLABLE, out.release = release;
    if (dictionary) {
      more_schemas_.push_back(schema_of("", dictionary->format.c_str(), nullptr));
      out.dictionary = &more_schemas_.back();
    }
    return out;
  }
  ArrowArray array_of(const TableColumn& c) {
    places_.emplace_back();
    for (std::size_t b = 0; b < c.buffers.size(); ++b) places_.back().push_back(c.buffers[b].empty() ? nullptr : c.buffers[b].data());
    ArrowArray out{};
    out.length = c.length - c.offset, out.offset = c.offset, out.null_count = c.offset ? -1 : c.nulls;
    out.n_buffers = static_cast<std::int64_t>(c.buffers.size()), out.buffers = places_.back().data(), out.release = release;
    if (c.dictionary) {
      more_arrays_.push_back(array_of(*c.dictionary));
      out.dictionary = &more_arrays_.back();
    }
    return out;
  }

  std::vector<TableColumn> columns_;
  std::deque<std::vector<const void*>> places_;
  std::deque<ArrowSchema> more_schemas_, fields_;
  std::deque<ArrowArray> more_arrays_, arrays_;
  std::vector<ArrowSchema*> field_places_;
  std::vector<ArrowArray*> array_places_;
  const void* no_buffer_[1] = {nullptr};
  ArrowSchema schema_{};
  ArrowArray array_{};
};

// A schema's metadata: a count, then keys and values, each with its length before it.
inline std::map<std::string, std::string> metadata_of(const ArrowSchema& schema) {
  std::map<std::string, std::string> out;
  const char* from = schema.metadata;
  if (!from) return out;
  const auto number = [&] {
    std::int32_t x = 0;
    std::memcpy(&x, from, sizeof x), from += sizeof x;
    return x;
  };
  const auto word = [&] {
    const std::int32_t size = number();
    from += size;
    return std::string(from - size, from);
  };
  for (std::int32_t n = number(); n > 0; --n) {
    const std::string key = word();
    out[key] = word();
  }
  return out;
}

// What comes out, by column name.
class Results {
 public:
  Results() = default;
  Results(ArrowSchema schema, ArrowArray array) : schema_(schema), array_(array) {}
  Results(Results&& other) noexcept : schema_(std::exchange(other.schema_, {})), array_(std::exchange(other.array_, {})) {}
  Results& operator=(Results&&) = delete;
  ~Results() {
    if (schema_.release) schema_.release(&schema_);
    if (array_.release) array_.release(&array_);
  }
  std::int64_t rows() const { return array_.length; }
  const ArrowSchema& schema() const { return schema_; }
  const ArrowArray& array() const { return array_; }
  bool has(const std::string& name) const { return place(name) >= 0; }
  const ArrowArray& column(const std::string& name) const {
    if (place(name) < 0) throw std::out_of_range("no column " + name);
    return *array_.children[place(name)];
  }
  bool known(const std::string& name, std::int64_t row) const {
    const auto* validity = static_cast<const std::uint8_t*>(column(name).buffers[0]);
    return !validity || (validity[row / 8] >> (row % 8) & 1) != 0;
  }
  float number(const std::string& name, std::int64_t row) const { return static_cast<const float*>(column(name).buffers[1])[row]; }
  std::string text(const std::string& name, std::int64_t row) const {
    if (!known(name, row)) return "(null)";
    const auto* offsets = static_cast<const std::int32_t*>(column(name).buffers[1]);
    const auto* bytes = static_cast<const char*>(column(name).buffers[2]);
    return {bytes + offsets[row], bytes + offsets[row + 1]};
  }

 private:
  std::int64_t place(const std::string& name) const {
    for (std::int64_t i = 0; i < schema_.n_children; ++i)
      if (name == schema_.children[i]->name) return i;
    return -1;
  }
  ArrowSchema schema_{};
  ArrowArray array_{};
};

// Batches in a row, as a stream; then, if it is said, an error.
struct TestStream {
  const ArrowSchema* schema = nullptr;
  std::vector<ArrowArray> batches;
  std::size_t next = 0;
  std::string fails_with;
  bool released = false;

  ArrowArrayStream stream() {
    ArrowArrayStream out{};
    out.get_schema = [](ArrowArrayStream* s, ArrowSchema* to) {
      *to = *static_cast<TestStream*>(s->private_data)->schema;
      return 0;
    };
    out.get_next = [](ArrowArrayStream* s, ArrowArray* to) {
      auto& its = *static_cast<TestStream*>(s->private_data);
      *to = ArrowArray{};
      if (its.next < its.batches.size()) *to = its.batches[its.next++];
      else if (!its.fails_with.empty()) return 5;
      return 0;
    };
    out.get_last_error = [](ArrowArrayStream* s) { return static_cast<TestStream*>(s->private_data)->fails_with.c_str(); };
    out.release = [](ArrowArrayStream* s) {
      static_cast<TestStream*>(s->private_data)->released = true;
      s->release = nullptr;
    };
    out.private_data = this;
    return out;
  }
};

}  // namespace dorsalgia::test
