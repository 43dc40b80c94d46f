// Apache Arrow at arm's length: columns read from and written to the C Data Interface, without a library.
//
// What others hand over is checked before it is read: types, buffers, offsets, and every length against those it must fit
// into. The interface does not say how large a buffer is; a producer that lies about that cannot be found out.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dorsalgia.h"

namespace dorsalgia::abi {

// ---- ownership

// One of Arrow's structs; released when it goes.
template <class T>
class Owned {
 public:
  Owned() = default;
  explicit Owned(T* from) : it(std::exchange(*from, T{})) {}
  ~Owned() { reset(); }
  Owned(Owned&& other) noexcept : it(std::exchange(other.it, T{})) {}
  Owned& operator=(Owned&& other) noexcept {
    if (this != &other) {
      reset();
      it = std::exchange(other.it, T{});
    }
    return *this;
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  void reset() {
    if (it.release) it.release(&it);
    it = T{};
  }
  T it{};
};

using Schema = Owned<ArrowSchema>;
using Array = Owned<ArrowArray>;
using Stream = Owned<ArrowArrayStream>;

// ---- reading

enum class Kind { null, boolean, integer, natural, real, decimal, text, other };

// The type of a column, from its Arrow format.
struct Type {
  Kind kind = Kind::other;
  int width = 0;       // bytes a value, of numbers
  double scale = 1;    // decimals: value times this
  bool large = false;  // text: 64-bit offsets
  bool view = false;   // text: 16-byte views
  bool coded = false;  // dictionary-encoded: the above is of its entries
  Kind code_kind = Kind::other;
  int code_width = 0;
  std::string name;  // "int64", "dictionary of text", for messages
};

Type type_of(const ArrowSchema& schema);

// One column of one batch. Rows count from 0 within the batch, whatever the offsets. Throws Fault when the array is not what its
// schema says.
class ColumnView {
 public:
  // rows: of the batch; offset: of the struct that holds the column.
  ColumnView(const Type& type, const ArrowArray& array, std::int64_t offset, std::int64_t rows, const std::string& name);

  const Type& type() const { return *type_; }
  bool known(std::int64_t row) const {
    const std::int64_t at = offset_ + row;
    return type_->kind != Kind::null && (!validity_ || (validity_[at >> 3] >> (at & 7) & 1) != 0);
  }
  // use(0), use(1), ... of those of the rows `from` to `from + rows` that are known. Of most columns few are.
  template <class Use>
  void each_known(std::int64_t from, int rows, const Use& use) const {
    if (type_->kind == Kind::null) return;
    if (!validity_) {
      for (int r = 0; r < rows; ++r) use(r);
      return;
    }
    for (int first = 0; first < rows; first += 64)
      for (std::uint64_t rest = bits(validity_, from + first, std::min(64, rows - first)); rest != 0; rest &= rest - 1)
        use(first + std::countr_zero(rest));
  }
  // Of known rows only, and of the kind that the type says.
  bool boolean(std::int64_t row) const {
    const std::int64_t at = offset_ + row;
    return (static_cast<const std::uint8_t*>(values_)[at >> 3] >> (at & 7) & 1) != 0;
  }
  // Of boolean columns, `rows` at once and without a branch a cell: `yes`, 0, or -1 where it is null. Most cells of a table are these.
  void answers(std::int64_t from, int rows, std::int8_t yes, std::int8_t* to) const;
  double number(std::int64_t row) const {  // integer, natural, real, decimal
    if (type_->kind != Kind::real || type_->width != sizeof(double)) return other_number(row);
    double x;
    std::memcpy(&x, value_at(row), sizeof x);
    return x;
  }
  std::string_view text(std::int64_t row) const;  // not of coded columns; Fault when its offsets lie
  std::int64_t code(std::int64_t row) const {     // of coded columns: index into entries(); Fault when out of range
    if (type_->code_kind != Kind::integer || type_->code_width != sizeof(std::int32_t)) return other_code(row);
    std::int32_t code;  // what nearly everybody writes
    std::memcpy(&code, static_cast<const char*>(values_) + (offset_ + row) * std::int64_t{sizeof code}, sizeof code);
    return code >= 0 && code < entries_->rows_ ? code : other_code(row);
  }
  const ColumnView& entries() const { return *entries_; }
  std::int64_t size() const { return rows_; }
  const void* value_at(std::int64_t row) const {  // numbers: where the value stands
    return static_cast<const char*>(values_) + (offset_ + row) * type_->width;
  }

 private:
  double other_number(std::int64_t row) const;
  std::int64_t other_code(std::int64_t row) const;
  // At most 64 rows, the first one lowest. No byte is read that has none of their bits.
  std::uint64_t bits(const std::uint8_t* of, std::int64_t from, int rows) const {
    const std::int64_t at = offset_ + from;
    const int shift = static_cast<int>(at & 7), bytes = (shift + rows + 7) / 8;
    std::uint64_t out = 0;
    std::memcpy(&out, of + (at >> 3), static_cast<std::size_t>(std::min(bytes, 8)));
    out >>= shift;
    if (bytes > 8) out |= std::uint64_t{of[(at >> 3) + 8]} << (64 - shift);
    return rows == 64 ? out : out & ((std::uint64_t{1} << rows) - 1);
  }

  const Type* type_;
  std::string name_;
  std::int64_t offset_ = 0, rows_ = 0;
  const std::uint8_t* validity_ = nullptr;
  const void* values_ = nullptr;           // values; of text, offsets or views
  const char* bytes_ = nullptr;            // of text
  std::vector<const char*> blocks_;        // of views
  std::vector<std::int64_t> block_sizes_;  // likewise
  std::unique_ptr<Type> entry_type_;
  std::unique_ptr<ColumnView> entries_;
};

// Checks of a struct array against the number of columns of its schema; Fault otherwise.
void check_table(const ArrowArray& array, std::int64_t columns);
bool row_known(const ArrowArray& table, std::int64_t row);

// ---- writing

using Metadata = std::vector<std::pair<std::string, std::string>>;

struct Field {
  std::string name, format;  // of Arrow: "g" double, "f" float, "b" boolean, "u" text, "l" int64, ...
  Metadata metadata;
  bool nullable = true;
};

void export_schema(const std::vector<Field>& fields, const Metadata& metadata, ArrowSchema* out);
Metadata read_metadata(const char* metadata);

// Bytes that are not set to 0 when they are made: most are written once and at once.
template <class T>
struct NotZeroed : std::allocator<T> {
  template <class U>
  struct rebind {
    using other = NotZeroed<U>;
  };
  NotZeroed() = default;
  template <class U>
  explicit NotZeroed(const NotZeroed<U>&) {}
  template <class U>
  void construct(U* at) {
    ::new (static_cast<void*>(at)) U;
  }
  template <class U, class... From>
  void construct(U* at, From&&... from) {
    ::new (static_cast<void*>(at)) U(std::forward<From>(from)...);
  }
};
using ByteBuffer = std::vector<std::uint8_t, NotZeroed<std::uint8_t>>;

// Values of columns whose reader has released them, for the next batch of the same stream: new memory comes from the system page
// by page, each cleared first, and that takes longer than to write the results into it. Any thread may give and take.
class Shelf {
 public:
  explicit Shelf(std::size_t most) : most_(most) { kept_.reserve(most); }
  ByteBuffer take(std::size_t bytes) {
    ByteBuffer out;
    {
      const std::lock_guard lock(mutex_);
      if (!kept_.empty()) {
        out = std::move(kept_.back());
        kept_.pop_back();
      }
    }
    if (out.capacity() < bytes) out = ByteBuffer();  // nothing in it is worth being moved
    out.resize(bytes);
    return out;
  }
  void give(ByteBuffer buffer) {
    const std::lock_guard lock(mutex_);
    if (kept_.size() < most_) kept_.push_back(std::move(buffer));
  }

 private:
  std::mutex mutex_;
  std::vector<ByteBuffer> kept_;
  std::size_t most_;
};

// By row: 1, there is a value; 0, null.
using Known = std::vector<std::uint8_t>;

// A column to be written: one slot a row, filled in any order, also from several threads for different rows.
class Column {
 public:
  // known: of several columns that are null in the same rows; the caller fills it. Without one the column has its own.
  Column(const Field& field, std::int64_t rows, std::shared_ptr<Shelf> shelf = nullptr, std::shared_ptr<Known> known = nullptr);

  void set(std::int64_t row, double x) { put(row, &x, sizeof x); }
  void set(std::int64_t row, std::int64_t x) { put(row, &x, sizeof x); }
  void set(std::int64_t row, bool x) {
    const std::uint8_t byte = x;
    put(row, &byte, 1);
  }
  void set(std::int64_t row, std::string_view x) {  // what it points to must live until finish()
    texts_[static_cast<std::size_t>(row)] = x;
    (*known_)[static_cast<std::size_t>(row)] = 1;
  }
  void put(std::int64_t row, const void* value, int width);  // of the format's width

  // Floats from this row on, every one of which the caller writes, of a column whose Known is the caller's.
  float* floats(std::int64_t from);

 private:
  friend void export_table(std::vector<Column>& columns, std::int64_t rows, ArrowArray* out);
  char format_;
  int width_ = 0;
  std::shared_ptr<Known> known_;
  std::shared_ptr<Shelf> shelf_;  // none: where its values come from and go back to
  ByteBuffer values_;
  std::vector<std::string_view, NotZeroed<std::string_view>> texts_;  // of known rows
};

// The columns as one struct array; they are used up.
void export_table(std::vector<Column>& columns, std::int64_t rows, ArrowArray* out);

int width_of(char format);  // bytes of a number's format, 0: not one

}  // namespace dorsalgia::abi
