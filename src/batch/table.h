// A table of people: columns in, columns out. One row a person, one column a thing that may be known of them. What is not
// said is unknown, by a code of its own and never by a NaN.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <string>
#include <vector>

#include "inference/posterior.h"
#include "pathway/pathway.h"
#include "person/presentation.h"

namespace dorsalgia {

// Rows worked on together; results do not depend on it. Not a power of 2: columns of results so far apart would share one
// part of the cache.
inline constexpr int kChunk = 31 * 64;
inline constexpr std::int8_t kUnknown = -1;      // of every code below
inline constexpr std::int8_t kPresentAny = 100;  // a graded finding that is present, its grade not known; a cancer history of
                                                 // unknown date

// Numbers that are read a cache line at a time: they begin at one, and end at one once padded.
template <class T>
struct LineAligned {
  using value_type = T;
  LineAligned() = default;
  template <class U>
  LineAligned(const LineAligned<U>& /*other*/) {}  // NOLINT(google-explicit-constructor): as allocators do
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kAlignment)); }
  void deallocate(T* at, std::size_t /*n*/) { ::operator delete(at, kAlignment); }
  friend bool operator==(const LineAligned& /*a*/, const LineAligned& /*b*/) { return true; }

 private:
  static constexpr std::align_val_t kAlignment{64};
};
using Floats = std::vector<float, LineAligned<float>>;
using Numbers = std::vector<int, LineAligned<int>>;

// Up to kChunk people of one visit each.
struct PeopleTable {
  struct Graded {
    int finding;                     // index into Model::findings; not a measured one
    std::vector<std::int8_t> grade;  // by row: grade, bin of a history, kPresentAny or kUnknown
  };
  struct Measured {
    int finding;
    std::vector<double> value;        // by row, in the finding's unit
    std::vector<std::uint8_t> known;  // by row: 0 or 1
  };
  int rows = 0;
  std::vector<double> age;            // years; below 0 unknown
  std::vector<std::int8_t> sex;       // 0 male, 1 female
  std::vector<std::int8_t> setting;   // index into Model::settings
  std::vector<std::int8_t> location;  // index into Model::locations
  std::vector<double> weeks;          // since the pain began, exactly; below 0 unknown
  std::vector<Graded> graded;         // each finding at most once
  std::vector<Measured> measured;
};

// One row as every other engine takes it.
Presentation person_of(const PeopleTable& table, const Model& model, int row);

// One bit a row; as many words as whole vectors hold.
struct alignas(64) Bits {
  static constexpr std::size_t kPerWord = 64;
  std::array<std::uint64_t, (kChunk / kPerWord + 7) / 8 * 8> words{};

  bool operator[](std::size_t row) const { return (words[row / kPerWord] >> row % kPerWord & 1) != 0; }
  // The bits of `count` rows from `first` on; count divides 64 and first is a multiple of it.
  std::uint64_t slice(int first, std::size_t count) const {
    const auto from = static_cast<std::size_t>(first);
    return words[from / kPerWord] >> from % kPerWord & ~std::uint64_t{0} >> (kPerWord - count);
  }
  Bits& operator&=(const Bits& other) {
    for (std::size_t i = 0; i < words.size(); ++i) words[i] &= other.words[i];
    return *this;
  }
  Bits& operator|=(const Bits& other) {
    for (std::size_t i = 0; i < words.size(); ++i) words[i] |= other.words[i];
    return *this;
  }
  Bits operator~() const {
    Bits out;
    for (std::size_t i = 0; i < words.size(); ++i) out.words[i] = ~words[i];
    return out;
  }
  friend Bits operator&(Bits a, const Bits& b) { return a &= b; }

  // Those of the first `rows` rows of whom `holds` is true.
  template <class Holds>
  static Bits where(std::size_t rows, Holds holds) {
    Bits out;
    for (std::size_t first = 0; first < rows; first += kPerWord) {
      std::uint64_t word = 0;
      const std::size_t n = std::min(kPerWord, rows - first);
      for (std::size_t i = 0; i < n; ++i) word |= std::uint64_t{holds(first + i)} << i;
      out.words[first / kPerWord] = word;
    }
    return out;
  }
  template <class Use>
  void each(Use use) const {
    for (std::size_t i = 0; i < words.size(); ++i)
      for (std::uint64_t rest = words[i]; rest != 0; rest &= rest - 1) use(kPerWord * i + static_cast<std::size_t>(__builtin_ctzll(rest)));
  }
};

// Who has answered what, column by column of PeopleTable::graded, and of whom a value of PeopleTable::measured is known.
struct Planes {
  std::vector<Bits> present, absent, measured;
};

// Of whom a condition is known to hold, and of whom not to.
struct Known {
  Bits yes, no;
};

// What to work out; the rest stays empty.
struct Wanted {
  bool causes = true, mechanisms = true, levels = true, stages = true, forecast = true, urgency = true;
};

// By row. Of tables, one column after the other: causes[c * rows + row].
struct PosteriorTable {
  int rows = 0;
  std::vector<std::uint8_t> possible;  // 0: the answers exclude each other; the numbers of that row are 0
  Floats tumour, malignant, emergency;
  Floats causes;                      // [cause][row]
  Floats mechanisms;                  // [mechanism][row]
  Floats levels;                      // [level][row]
  Floats stages;                      // [flat stage][row]: stages of the first cause, of the second, ...
  Floats compression;                 // [of kForecastWeeks][row]
  std::vector<std::uint8_t> urgency;  // Urgency by rules and thresholds, as triage() gives it
};

}  // namespace dorsalgia
