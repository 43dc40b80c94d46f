#include "abi/arrow.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "abi/fault.h"

namespace dorsalgia::abi {

namespace {

constexpr std::int64_t kMostRows = std::numeric_limits<std::int64_t>::max() / 64;  // sums and bit counts of it do not overflow

[[noreturn]] void lies(const std::string& name, const std::string& what) {
  throw Fault(DORSALGIA_BAD_INPUT, fmt::format("column '{}': {}: the Arrow array is not what its schema says", name, what));
}

void numeric(Type& t, const char* format) {
  switch (format[0]) {
    case 'c': t.kind = Kind::integer, t.width = 1, t.name = "int8"; break;
    case 'C': t.kind = Kind::natural, t.width = 1, t.name = "uint8"; break;
    case 's': t.kind = Kind::integer, t.width = 2, t.name = "int16"; break;
    case 'S': t.kind = Kind::natural, t.width = 2, t.name = "uint16"; break;
    case 'i': t.kind = Kind::integer, t.width = 4, t.name = "int32"; break;
    case 'I': t.kind = Kind::natural, t.width = 4, t.name = "uint32"; break;
    case 'l': t.kind = Kind::integer, t.width = 8, t.name = "int64"; break;
    case 'L': t.kind = Kind::natural, t.width = 8, t.name = "uint64"; break;
    case 'f': t.kind = Kind::real, t.width = 4, t.name = "float32"; break;
    case 'g': t.kind = Kind::real, t.width = 8, t.name = "float64"; break;
    default: break;
  }
}

// "d:10,2" and "d:10,2,128": precision, scale, bits.
void decimal(Type& t, const char* format) {
  int precision = 0, scale = 0, bits = 128;
  const int read = std::sscanf(format, "d:%d,%d,%d", &precision, &scale, &bits);  // NOLINT: the format is short and checked
  t.name = "decimal";
  if (read < 2 || bits != 128 || scale < -40 || scale > 40) return;
  t.kind = Kind::decimal, t.width = 16, t.scale = std::pow(10.0, -scale);
}

Type plain_type(const ArrowSchema& s) {
  Type t;
  const std::string format = s.format ? s.format : "";
  t.name = fmt::format("Arrow type '{}'", format);
  if (format == "n") t.kind = Kind::null, t.name = "null";
  else if (format == "b") t.kind = Kind::boolean, t.name = "boolean";
  else if (format == "u") t.kind = Kind::text, t.name = "text";
  else if (format == "U") t.kind = Kind::text, t.large = true, t.name = "text";
  else if (format == "vu") t.kind = Kind::text, t.view = true, t.name = "text";
  else if (format == "e") t.name = "float16";
  else if (format.rfind("t", 0) == 0) t.name = "date or time";
  else if (format == "z" || format == "Z" || format == "vz") t.name = "binary";
  else if (format.rfind("+", 0) == 0) t.name = format == "+r" ? "run-end encoded" : "nested";
  else if (format.rfind("d:", 0) == 0) decimal(t, format.c_str());
  else if (format.size() == 1) numeric(t, format.c_str());
  return t;
}

template <class T>
T load(const void* from, std::int64_t at) {
  T x;
  std::memcpy(&x, static_cast<const char*>(from) + at * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
  return x;
}

std::int64_t load_integer(Kind kind, int width, const void* from, std::int64_t at) {
  const bool natural = kind == Kind::natural;
  switch (width) {
    case 1: return natural ? load<std::uint8_t>(from, at) : load<std::int8_t>(from, at);
    case 2: return natural ? load<std::uint16_t>(from, at) : load<std::int16_t>(from, at);
    case 4: return natural ? load<std::uint32_t>(from, at) : load<std::int32_t>(from, at);
    default:
      return natural ? static_cast<std::int64_t>(
                           std::min<std::uint64_t>(load<std::uint64_t>(from, at), std::numeric_limits<std::int64_t>::max()))
                     : load<std::int64_t>(from, at);
  }
}

}  // namespace

Type type_of(const ArrowSchema& schema) {
  if (!schema.dictionary) return plain_type(schema);
  const Type code = plain_type(schema);
  Type t = plain_type(*schema.dictionary);
  if (code.kind != Kind::integer && code.kind != Kind::natural) t.kind = Kind::other;
  if (schema.dictionary->dictionary) t.kind = Kind::other;
  t.coded = true;
  t.code_kind = code.kind, t.code_width = code.width;
  t.name = "dictionary of " + t.name;
  return t;
}

// ---- reading

ColumnView::ColumnView(const Type& type, const ArrowArray& array, std::int64_t offset, std::int64_t rows, const std::string& name)
    : type_(&type), name_(name), rows_(rows) {
  if (array.length < 0 || array.offset < 0 || array.length > kMostRows || array.offset > kMostRows) lies(name, "a length below 0");
  if (!array.release) lies(name, "the array was released before it was read");
  if (offset + rows > array.length) lies(name, fmt::format("{} rows in a table of {}", array.length, offset + rows));
  offset_ = array.offset + offset;
  const Kind kind = type.coded ? type.code_kind : type.kind;
  if (kind == Kind::null) return;
  const bool text = kind == Kind::text;
  const std::int64_t least = text ? 3 : 2;
  if (type.view && text ? array.n_buffers < 3 : array.n_buffers != least)
    lies(name, fmt::format("{} buffers where {} are needed", array.n_buffers, least));
  if (!array.buffers) lies(name, "no buffers");
  if (array.null_count != 0) validity_ = static_cast<const std::uint8_t*>(array.buffers[0]);
  if (array.null_count > 0 && !validity_) lies(name, "nulls are counted and none are marked");
  values_ = array.buffers[1];
  if (!values_ && rows > 0) lies(name, "no values");
  if (text && type.view) {
    // Views, then any number of blocks, then the sizes of the blocks.
    const std::int64_t blocks = array.n_buffers - 3;
    const void* sizes = array.buffers[array.n_buffers - 1];
    if (blocks > 0 && !sizes) lies(name, "no sizes of its blocks of text");
    for (std::int64_t i = 0; i < blocks; ++i) {
      blocks_.push_back(static_cast<const char*>(array.buffers[2 + i]));
      block_sizes_.push_back(load<std::int64_t>(sizes, i));
    }
  } else if (text) {
    bytes_ = static_cast<const char*>(array.buffers[2]);
  }
  if (type.coded) {
    if (!array.dictionary) lies(name, "no dictionary");
    entry_type_ = std::make_unique<Type>(type);
    entry_type_->coded = false;
    entries_ = std::make_unique<ColumnView>(*entry_type_, *array.dictionary, 0, array.dictionary->length, name);
  }
}

namespace {

// The bits of a byte as eight bytes of 0 and 1, the lowest first.
constexpr std::uint64_t spread(unsigned byte) {
  std::uint64_t out = 0;
  for (int i = 0; i < 8; ++i) out |= static_cast<std::uint64_t>(byte >> i & 1) << (8 * i);
  return out;
}
constexpr auto kSpread = [] {
  std::array<std::uint64_t, 256> out{};
  for (unsigned byte = 0; byte < 256; ++byte) out[byte] = spread(byte);
  return out;
}();

}  // namespace

void ColumnView::answers(std::int64_t from, int rows, std::int8_t yes, std::int8_t* to) const {
  static_assert(std::endian::native == std::endian::little);
  const auto* values = static_cast<const std::uint8_t*>(values_);
  for (int first = 0; first < rows; first += 64) {
    const int n = std::min(64, rows - first);
    const std::uint64_t known = validity_ ? bits(validity_, from + first, n) : ~std::uint64_t{0},
                        given = bits(values, from + first, n) & known;
    std::array<std::uint64_t, 8> codes;
    for (std::size_t i = 0; i < codes.size(); ++i)  // byte by byte, none carries into the next; 255 is kUnknown
      codes[i] = kSpread[given >> (8 * i) & 255] * static_cast<std::uint8_t>(yes) | kSpread[~known >> (8 * i) & 255] * 255;
    std::memcpy(to + first, codes.data(), static_cast<std::size_t>(n));
  }
}

double ColumnView::other_number(std::int64_t row) const {
  const std::int64_t at = offset_ + row;
  switch (type_->kind) {
    case Kind::real: return static_cast<double>(load<float>(values_, at));  // wider ones: number()
    case Kind::decimal: {
      const auto low = load<std::uint64_t>(values_, 2 * at);
      const auto high = load<std::int64_t>(values_, 2 * at + 1);
      return (std::ldexp(static_cast<double>(high), 64) + static_cast<double>(low)) * type_->scale;
    }
    case Kind::natural:
      if (type_->width == 8) return static_cast<double>(load<std::uint64_t>(values_, at));
      [[fallthrough]];
    default: return static_cast<double>(load_integer(type_->kind, type_->width, values_, at));
  }
}

std::string_view ColumnView::text(std::int64_t row) const {
  const std::int64_t at = offset_ + row;
  if (type_->view) {
    const auto size = load<std::int32_t>(values_, 4 * at);
    if (size < 0) lies(name_, "a text of negative length");
    const char* its = static_cast<const char*>(values_) + 16 * at;
    if (size <= 12) return {its + 4, static_cast<std::size_t>(size)};
    const auto block = load<std::int32_t>(values_, 4 * at + 2);
    const auto from = load<std::int32_t>(values_, 4 * at + 3);
    if (block < 0 || static_cast<std::size_t>(block) >= blocks_.size() || from < 0 ||
        std::int64_t{from} + size > block_sizes_[static_cast<std::size_t>(block)])
      lies(name_, "a text outside its block");
    return {blocks_[static_cast<std::size_t>(block)] + from, static_cast<std::size_t>(size)};
  }
  const std::int64_t from = type_->large ? load<std::int64_t>(values_, at) : load<std::int32_t>(values_, at);
  const std::int64_t to = type_->large ? load<std::int64_t>(values_, at + 1) : load<std::int32_t>(values_, at + 1);
  if (from < 0 || to < from) lies(name_, "offsets of text that fall");
  if (to == from) return {};
  if (!bytes_) lies(name_, "no bytes of text");
  return {bytes_ + from, static_cast<std::size_t>(to - from)};
}

std::int64_t ColumnView::other_code(std::int64_t row) const {
  const std::int64_t code = load_integer(type_->code_kind, type_->code_width, values_, offset_ + row);
  if (code < 0 || code >= entries_->rows_) lies(name_, "a code outside its dictionary");
  return code;
}

void check_table(const ArrowArray& array, std::int64_t columns) {
  if (!array.release) throw Fault(DORSALGIA_BAD_INPUT, "the table was released before it was read");
  if (array.length < 0 || array.offset < 0 || array.length > kMostRows || array.offset > kMostRows)
    throw Fault(DORSALGIA_BAD_INPUT, "the table has a length or offset below 0: the Arrow array is not what its schema says");
  if (array.n_children != columns || (columns > 0 && !array.children))
    throw Fault(DORSALGIA_BAD_INPUT, fmt::format("the table has {} columns and its schema {}: the Arrow array is not what its schema says",
                                                 array.n_children, columns));
  for (std::int64_t i = 0; i < columns; ++i)
    if (!array.children[i])
      throw Fault(DORSALGIA_BAD_INPUT, "a column of the table is missing: the Arrow array is not what its schema says");
  if (array.null_count > 0 && (array.n_buffers < 1 || !array.buffers || !array.buffers[0]))
    throw Fault(DORSALGIA_BAD_INPUT, "the table counts null rows and marks none: the Arrow array is not what its schema says");
}

bool row_known(const ArrowArray& table, std::int64_t row) {
  if (table.null_count == 0 || table.n_buffers < 1 || !table.buffers || !table.buffers[0]) return true;
  const std::int64_t at = table.offset + row;
  return (static_cast<const std::uint8_t*>(table.buffers[0])[at >> 3] >> (at & 7) & 1) != 0;
}

// ---- writing

namespace {

std::string packed(const Metadata& metadata) {
  if (metadata.empty()) return {};
  std::string out;
  const auto number = [&](std::size_t n) {
    const auto x = static_cast<std::int32_t>(n);
    out.append(reinterpret_cast<const char*>(&x), sizeof x);
  };
  number(metadata.size());
  for (const auto& [key, value] : metadata) {
    number(key.size());
    out += key;
    number(value.size());
    out += value;
  }
  return out;
}

struct SchemaHolder {
  std::string name, format, metadata;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> places;
};

void release_schema(ArrowSchema* schema) {
  for (std::int64_t i = 0; i < schema->n_children; ++i)
    if (schema->children[i]->release) schema->children[i]->release(schema->children[i]);
  delete static_cast<SchemaHolder*>(schema->private_data);
  schema->release = nullptr;
}

void hand_over(std::unique_ptr<SchemaHolder> holder, bool nullable, ArrowSchema* out) {
  *out = ArrowSchema{};
  out->format = holder->format.c_str();
  out->name = holder->name.c_str();
  out->metadata = holder->metadata.empty() ? nullptr : holder->metadata.data();
  out->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
  out->n_children = static_cast<std::int64_t>(holder->children.size());
  out->children = holder->places.data();
  out->release = release_schema;
  out->private_data = holder.release();
}

struct ArrayHolder {
  std::shared_ptr<const ByteBuffer> validity;  // of columns that are null in the same rows
  ByteBuffer values, bytes;
  std::shared_ptr<Shelf> shelf;  // none: where the values go
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> places;
};

void release_array(ArrowArray* array) {
  for (std::int64_t i = 0; i < array->n_children; ++i)
    if (array->children[i]->release) array->children[i]->release(array->children[i]);
  auto* holder = static_cast<ArrayHolder*>(array->private_data);
  if (holder->shelf) holder->shelf->give(std::move(holder->values));
  delete holder;
  array->release = nullptr;
}

void hand_over(std::unique_ptr<ArrayHolder> holder, std::int64_t rows, std::int64_t nulls, ArrowArray* out) {
  *out = ArrowArray{};
  out->length = rows;
  out->null_count = nulls;
  out->n_buffers = static_cast<std::int64_t>(holder->buffers.size());
  out->buffers = holder->buffers.data();
  out->n_children = static_cast<std::int64_t>(holder->children.size());
  out->children = holder->places.data();
  out->release = release_array;
  out->private_data = holder.release();
}

// Bytes of 0 and 1 as bits, the first one lowest.
template <class Bytes>
ByteBuffer as_bits(const Bytes& bytes) {
  ByteBuffer out((bytes.size() + 7) / 8);
  const std::size_t whole = bytes.size() / 8;
  for (std::size_t i = 0; i < whole; ++i) {
    std::uint64_t eight;
    std::memcpy(&eight, bytes.data() + 8 * i, sizeof eight);
    out[i] = static_cast<std::uint8_t>(eight * 0x0102040810204080 >> 56);  // each byte's lowest bit to its place in the highest byte
  }
  if (whole < out.size()) {
    unsigned rest = 0;
    for (std::size_t i = 8 * whole; i < bytes.size(); ++i) rest |= static_cast<unsigned>(bytes[i]) << (i & 7);
    out[whole] = static_cast<std::uint8_t>(rest);
  }
  return out;
}

}  // namespace

void export_schema(const std::vector<Field>& fields, const Metadata& metadata, ArrowSchema* out) {
  auto top = std::make_unique<SchemaHolder>();
  top->format = "+s";
  top->metadata = packed(metadata);
  top->children.resize(fields.size());
  for (ArrowSchema& child : top->children) top->places.push_back(&child);
  // From here on `made` releases what there is if memory ends.
  Schema made;
  hand_over(std::move(top), false, &made.it);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    auto its = std::make_unique<SchemaHolder>();
    its->name = fields[i].name, its->format = fields[i].format, its->metadata = packed(fields[i].metadata);
    hand_over(std::move(its), fields[i].nullable, made.it.children[i]);
  }
  *out = std::exchange(made.it, ArrowSchema{});
}

Metadata read_metadata(const char* from) {
  Metadata out;
  if (!from) return out;
  const auto number = [&] {
    const auto x = load<std::int32_t>(from, 0);
    from += sizeof x;
    return x < 0 ? 0 : x;
  };
  const auto word = [&] {
    const auto size = static_cast<std::size_t>(number());
    std::string x(from, size);
    from += size;
    return x;
  };
  for (std::int32_t n = number(); n > 0; --n) {
    std::string key = word();
    out.emplace_back(std::move(key), word());
  }
  return out;
}

int width_of(char format) {
  Type t;
  numeric(t, &format);
  return t.width;
}

Column::Column(const Field& field, std::int64_t rows, std::shared_ptr<Shelf> shelf, std::shared_ptr<Known> known)
    : format_(field.format[0]), known_(std::move(known)), shelf_(std::move(shelf)) {
  const auto n = static_cast<std::size_t>(rows);
  const bool own = !known_;
  if (own) known_ = std::make_shared<Known>(n, 0);
  if (format_ == 'u') {
    texts_.resize(n);
    shelf_ = nullptr;
  } else {
    width_ = format_ == 'b' ? 1 : width_of(format_);
    const std::size_t bytes = n * static_cast<std::size_t>(width_);
    if (shelf_) values_ = shelf_->take(bytes);
    else values_.resize(bytes);
    if (own) std::fill(values_.begin(), values_.end(), std::uint8_t{0});  // what floats() hands out is written whole
  }
}

void Column::put(std::int64_t row, const void* value, int width) {
  if (width != width_) throw Fault(DORSALGIA_INTERNAL, "a column was written with another type than it has");
  std::memcpy(values_.data() + static_cast<std::size_t>(row) * static_cast<std::size_t>(width), value, static_cast<std::size_t>(width));
  (*known_)[static_cast<std::size_t>(row)] = 1;
}

float* Column::floats(std::int64_t from) {
  if (format_ != 'f') throw Fault(DORSALGIA_INTERNAL, "a column was written with another type than it has");
  return reinterpret_cast<float*>(values_.data()) + from;
}

void export_table(std::vector<Column>& columns, std::int64_t rows, ArrowArray* out) {
  auto top = std::make_unique<ArrayHolder>();
  top->buffers = {nullptr};
  top->children.resize(columns.size());
  for (ArrowArray& child : top->children) top->places.push_back(&child);
  Array made;
  hand_over(std::move(top), rows, 0, &made.it);
  // Of neighbours that are null in the same rows the nulls are counted and turned into bits once.
  std::shared_ptr<const ByteBuffer> validity;
  std::int64_t nulls = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Column& c = columns[i];
    auto its = std::make_unique<ArrayHolder>();
    const Known& known = *c.known_;
    if (i == 0 || c.known_ != columns[i - 1].known_) {
      nulls = std::count(known.begin(), known.end(), std::uint8_t{0});
      validity = nulls > 0 ? std::make_shared<const ByteBuffer>(as_bits(known)) : nullptr;
    }
    its->validity = validity;
    if (c.format_ == 'u') {
      std::vector<std::int32_t> offsets(static_cast<std::size_t>(rows) + 1, 0);
      std::size_t size = 0;
      for (std::size_t r = 0; r < c.texts_.size(); ++r) {
        if (known[r]) size += c.texts_[r].size();
        if (size > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()))
          throw Fault(DORSALGIA_BAD_INPUT, "texts of more than 2 GiB in one batch: give smaller batches");
        offsets[r + 1] = static_cast<std::int32_t>(size);
      }
      its->values.resize(offsets.size() * sizeof(std::int32_t));
      std::memcpy(its->values.data(), offsets.data(), its->values.size());
      its->bytes.reserve(std::max<std::size_t>(size, 1));  // never a null buffer
      for (std::size_t r = 0; r < c.texts_.size(); ++r)
        if (known[r]) its->bytes.insert(its->bytes.end(), c.texts_[r].begin(), c.texts_[r].end());
    } else {
      its->values = c.format_ == 'b' ? as_bits(c.values_) : std::move(c.values_);
      its->values.reserve(1);
      its->shelf = c.shelf_;
    }
    its->buffers = {validity ? validity->data() : nullptr, its->values.data()};
    if (c.format_ == 'u') its->buffers.push_back(its->bytes.data());
    hand_over(std::move(its), rows, nulls, made.it.children[i]);
  }
  columns.clear();
  *out = std::exchange(made.it, ArrowArray{});
}

}  // namespace dorsalgia::abi
