// Apache Arrow at arm's length: columns read from and written to the C Data Interface, without a library.
//
// What others hand over is checked before it is read: types, buffers, offsets, and every length against those it must fit
// into. The interface does not say how large a buffer is; a producer that lies about that cannot be found out.
#pragma once

#include <cstdint>
#include <memory>
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
  // Of known rows only, and of the kind that the type says.
  bool boolean(std::int64_t row) const {
    const std::int64_t at = offset_ + row;
    return (static_cast<const std::uint8_t*>(values_)[at >> 3] >> (at & 7) & 1) != 0;
  }
  // Of boolean columns, `rows` at once and without a branch a cell: `yes`, 0, or -1 where it is null. Most cells of a table are these.
  void answers(std::int64_t from, int rows, std::int8_t yes, std::int8_t* to) const;
  double number(std::int64_t row) const;          // integer, natural, real, decimal
  std::string_view text(std::int64_t row) const;  // not of coded columns; Fault when its offsets lie
  std::int64_t code(std::int64_t row) const;      // of coded columns: index into entries(); Fault when out of range
  const ColumnView& entries() const { return *entries_; }
  std::int64_t size() const { return rows_; }
  const void* value_at(std::int64_t row) const;  // numbers: where the value stands

 private:
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

// A column to be written: one slot a row, filled in any order, also from several threads for different rows.
class Column {
 public:
  Column(const Field& field, std::int64_t rows);

  void set(std::int64_t row, double x) { put(row, &x, sizeof x); }
  void set(std::int64_t row, std::int64_t x) { put(row, &x, sizeof x); }
  void set(std::int64_t row, bool x) {
    const std::uint8_t byte = x;
    put(row, &byte, 1);
  }
  void set(std::int64_t row, std::string_view x) {  // what it points to must live until finish()
    texts_[static_cast<std::size_t>(row)] = x;
    known_[static_cast<std::size_t>(row)] = 1;
  }
  void put(std::int64_t row, const void* value, int width);  // of the format's width

  // Floats of rows that all are known: rows `from` to `from + rows`, every one of which the caller writes.
  float* floats(std::int64_t from, std::int64_t rows);
  void forget(std::int64_t row) { known_[static_cast<std::size_t>(row)] = 0; }

 private:
  friend void export_table(std::vector<Column>& columns, std::int64_t rows, ArrowArray* out);
  char format_;
  int width_ = 0;
  std::vector<std::uint8_t> known_;  // by row, 0 at first
  ByteBuffer values_;
  std::vector<std::string_view> texts_;
};

// The columns as one struct array; they are used up.
void export_table(std::vector<Column>& columns, std::int64_t rows, ArrowArray* out);

int width_of(char format);  // bytes of a number's format, 0: not one

}  // namespace dorsalgia::abi
