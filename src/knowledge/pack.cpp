// Knowledge as bytes, so that the program carries it and starts in milliseconds. The bytes are made at build time by
// `knowledge-pack` from knowledge/ and never leave the build: there is no format to keep compatible. cereal walks the
// structs; the archives below lay them out small, because the page in the browser has to fetch them
// (docs/decisions/built-in-knowledge.md).
#include "knowledge/pack.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cereal/cereal.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/common.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/vector.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <unordered_map>

#include "knowledge/noise.h"

namespace dorsalgia {

namespace {

// Streams: whole numbers (sizes, indices of texts, mantissas), powers of ten, draws, and texts, each different one once. A number
// was written by hand in decimal, so 0.35 is kept as 35 and 2, not as eight bytes that no compressor can shorten.
using Bytes = std::string;
constexpr int kRaw = 127;        // in place of a power: the bits of the double follow
constexpr int kMostPlaces = 22;  // 10^22 is the last power of ten that a double holds exactly
// Of the draws of calibration: whole hundredths, or for the page their distance from the noise in tenths, which is all that intervals read.
constexpr int kHundredths = 100, kTenths = 10;

std::uint64_t zigzag(std::int64_t x) { return static_cast<std::uint64_t>(x) << 1 ^ static_cast<std::uint64_t>(x >> 63); }
std::int64_t unzigzag(std::uint64_t x) { return static_cast<std::int64_t>(x >> 1) ^ -static_cast<std::int64_t>(x & 1); }

void write(Bytes& to, std::uint64_t x) {  // seven bits a byte, the lowest first
  for (; x >= 0x80; x >>= 7) to += static_cast<char>((x & 0x7F) | 0x80);
  to += static_cast<char>(x);
}

// A quotient of two numbers that doubles hold exactly is rounded once, as reading the decimal would be.
double decimal(std::int64_t mantissa, int places) {
  static constexpr auto kPowers = [] {
    std::array<double, kMostPlaces + 1> out{1};
    for (std::size_t i = 1; i < out.size(); ++i) out[i] = out[i - 1] * 10;
    return out;
  }();
  return static_cast<double>(mantissa) / kPowers[static_cast<std::size_t>(places)];
}

class Packer : public cereal::OutputArchive<Packer, cereal::AllowEmptyClassElision> {
 public:
  explicit Packer(bool for_page) : OutputArchive(this), page(for_page), per_unit(for_page ? kTenths : kHundredths) {}

  void whole(std::int64_t x) { write(numbers_, zigzag(x)); }

  template <class T>
  void real(T x) {
    // The same places as the number before where that costs no more than a zero: runs of equal powers vanish when compressed.
    if (const auto [mantissa, places] = shortest(x); places >= 0) {
      const bool as_before = last_ == places + 1 && std::abs(mantissa) < 1'000'000;
      last_ = as_before ? last_ : places;
      powers_ += static_cast<char>(last_);
      return whole(as_before ? mantissa * 10 : mantissa);
    }
    powers_ += static_cast<char>(kRaw);
    const auto as_double = static_cast<double>(x);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &as_double, sizeof bits);
    for (int i = 0; i < 8; ++i) powers_ += static_cast<char>(bits >> (8 * i) & 0xFF);
  }

  void text(const std::string& s) {
    const auto [it, fresh] = known_.try_emplace(s, known_.size());
    write(numbers_, it->second);
    if (!fresh) return;
    write(lengths_, s.size());
    texts_ += s;
  }

  void drawn(float x, std::size_t draw, std::size_t parameter) {
    const auto whole = std::lround(page ? kTenths * (x - noise(draw, parameter)) : kHundredths * static_cast<double>(x));
    if (!page && static_cast<float>(decimal(whole, 2)) != x)
      throw std::invalid_argument("a draw of the calibration is no whole number of hundredths");
    write(draws_, zigzag(whole));
  }

  Bytes done() const {
    Bytes out;
    for (const Bytes* part : {&numbers_, &powers_, &draws_, &lengths_, &texts_}) write(out, part->size());
    return out + numbers_ + powers_ + draws_ + lengths_ + texts_;
  }

  const bool page;     // small: without where in its file each number stands
  const int per_unit;  // of draws

 private:
  // {mantissa, places} with mantissa / 10^places == x to the bit, else places -1.
  template <class T>
  static std::pair<std::int64_t, int> shortest(T x) {
    if (!std::isfinite(x) || (x == 0 && std::signbit(x))) return {0, -1};
    const std::string digits = fmt::format("{}", x);  // the fewest that are read back as x: "0.35", "-2", "1e-07"
    const std::size_t exponent = digits.find('e');
    std::int64_t mantissa = 0;
    int places = exponent == std::string::npos ? 0 : -std::stoi(digits.substr(exponent + 1));
    bool after_point = false;
    for (const char c : digits.substr(0, exponent)) {
      if (c == '.') after_point = true;
      else if (c != '-') mantissa = mantissa * 10 + (c - '0'), places += after_point;
    }
    for (; places < 0 && mantissa < (std::int64_t{1} << 48); ++places) mantissa *= 10;
    if (x < 0) mantissa = -mantissa;
    if (places < 0 || places > kMostPlaces || static_cast<T>(decimal(mantissa, places)) != x) return {0, -1};
    return {mantissa, places};
  }

  Bytes numbers_, powers_, draws_, lengths_, texts_;
  std::unordered_map<std::string, std::size_t> known_;
  int last_ = 0;
};

class Unpacker : public cereal::InputArchive<Unpacker, cereal::AllowEmptyClassElision> {
 public:
  Unpacker(const char* data, std::size_t size) : InputArchive(this) {
    Part head{data, data + size};
    std::array<std::size_t, 5> sizes{};
    for (std::size_t& s : sizes) s = static_cast<std::size_t>(head.next());
    Part lengths{};
    const std::array<Part*, 5> parts = {&numbers_, &powers_, &draws_, &lengths, &texts_};
    for (std::size_t i = 0; i < parts.size(); ++i) *parts[i] = head.first(sizes[i]);
    while (lengths.at != lengths.end) {
      const auto length = static_cast<std::size_t>(lengths.next());
      known_.push_back(texts_.first(length));
    }
  }

  std::int64_t whole() { return unzigzag(numbers_.next()); }

  double real() {
    const int places = powers_.byte();
    if (places != kRaw) return decimal(whole(), std::min(places, kMostPlaces));
    std::uint64_t bits = 0;
    for (int i = 0; i < 8; ++i) bits |= static_cast<std::uint64_t>(powers_.byte()) << (8 * i);
    double x = 0;
    std::memcpy(&x, &bits, sizeof x);
    return x;
  }

  float drawn(int per_unit) { return static_cast<float>(static_cast<double>(unzigzag(draws_.next())) / per_unit); }

  std::string text() {
    const Part& its = known_.at(static_cast<std::size_t>(numbers_.next()));
    return {its.at, its.end};
  }

 private:
  struct Part {
    const char *at = nullptr, *end = nullptr;
    unsigned char byte() {
      if (at == end) throw std::runtime_error("the packed knowledge ends too early");
      return static_cast<unsigned char>(*at++);
    }
    std::uint64_t next() {
      std::uint64_t x = 0;
      for (int shift = 0; shift < 64; shift += 7) {
        const unsigned char b = byte();
        x |= static_cast<std::uint64_t>(b & 0x7F) << shift;
        if (b < 0x80) break;
      }
      return x;
    }
    Part first(std::size_t bytes) {
      if (bytes > static_cast<std::size_t>(end - at)) throw std::runtime_error("the packed knowledge ends too early");
      return {std::exchange(at, at + bytes), at};
    }
  };
  Part numbers_, powers_, draws_, texts_;
  std::vector<Part> known_;
};

}  // namespace
}  // namespace dorsalgia

CEREAL_SETUP_ARCHIVE_TRAITS(dorsalgia::Unpacker, dorsalgia::Packer)

namespace dorsalgia {
namespace {

template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
void save(Packer& a, const T& x) {
  if constexpr (std::is_floating_point_v<T>) a.real(x);
  else a.whole(static_cast<std::int64_t>(x));
}
template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
void load(Unpacker& a, T& x) {
  if constexpr (std::is_floating_point_v<T>) x = static_cast<T>(a.real());
  else x = static_cast<T>(a.whole());
}
void save(Packer& a, const std::string& x) { a.text(x); }
void load(Unpacker& a, std::string& x) { x = a.text(); }
template <class T>
void save(Packer& a, const cereal::NameValuePair<T>& x) {
  a(x.value);
}
template <class T>
void load(Unpacker& a, cereal::NameValuePair<T>& x) {
  a(x.value);
}
template <class T>
void save(Packer& a, const cereal::SizeTag<T>& x) {
  a.whole(static_cast<std::int64_t>(x.size));
}
template <class T>
void load(Unpacker& a, cereal::SizeTag<T>& x) {
  x.size = static_cast<std::size_t>(a.whole());
}

}  // namespace

template <class A>
void serialize(A& a, Citation& x) {
  a(x.status, x.source, x.where, x.why, x.note, x.file);
  if constexpr (std::is_same_v<A, Packer>) a(a.page ? 0 : x.line);
  else a(x.line);
}
template <class A>
void serialize(A& a, Figure& x) {
  a(x.value, x.low, x.high, x.counts, x.cite);
}
template <class A>
void serialize(A& a, AgeSexTable& x) {
  a(x.male, x.female, x.interval_factor, x.cite);
}
template <class A>
void serialize(A& a, NamedTable& x) {
  a(x.values, x.interval_factor, x.cite);
}
template <class A>
void serialize(A& a, Source& x) {
  a(x.key, x.title, x.authors, x.published, x.url, x.doi, x.kind, x.year);
}
template <class A>
void serialize(A& a, Mechanism& x) {
  a(x.id, x.name, x.describes, x.canal);
}
template <class A>
void serialize(A& a, Codes& x) {
  a(x.snomed, x.icd10cm, x.loinc);
}
template <class A>
void serialize(A& a, Level& x) {
  a(x.id, x.region, x.canal, x.cord_segment, x.roots, x.pain);
}
template <class A>
void serialize(A& a, Segment& x) {
  a(x.id, x.dermatome, x.myotome, x.reflex);
}
template <class A>
void serialize(A& a, Referral& x) {
  a(x.organ, x.felt, x.segments);
}
template <class A>
void serialize(A& a, Anatomy& x) {
  a(x.levels, x.segments, x.sensory_level_offset, x.visceral_referral, x.canal_filling, x.interval_factor, x.offset_interval_factor, x.cite,
    x.offset_cite);
}
template <class A>
void serialize(A& a, Setting& x) {
  a(x.id, x.name, x.share);
}
template <class A>
void serialize(A& a, Population& x) {
  a(x.people, x.settings, x.background_share, x.background_median, x.background_spread);
}
template <class A>
void serialize(A& a, RecordedKind& x) {
  a(x.id, x.done, x.present, x.absent);
}
template <class A>
void serialize(A& a, Shift& x) {
  a(x.shift, x.spread);
}
template <class A>
void serialize(A& a, Finding& x) {
  a(x.id, x.name, x.group, x.burden, x.file, x.kind, x.ask_clinician, x.ask_person, x.synonyms, x.codes, x.grades, x.leak, x.leak_table,
    x.mechanisms, x.causes, x.place_root, x.prevalence, x.primary, x.years, x.unit, x.units, x.possible_low, x.possible_high, x.log_scale,
    x.reference_male, x.reference_female, x.centre, x.spread, x.mechanism_shifts, x.cause_shifts, x.line);
}
template <class A>
void serialize(A& a, ContextLink& x) {
  a(x.factor, x.is_share, x.figure, x.years);
}
template <class A>
void serialize(A& a, Cause& x) {
  a(x.id, x.name, x.group, x.course, x.describes, x.file, x.behaviour, x.emergency, x.rate, x.settings, x.levels, x.referral, x.tempo,
    x.accompanied_by, x.context, x.findings, x.measures, x.codes, x.line);
}
template <class A>
void serialize(A& a, Stage& x) {
  a(x.id, x.name, x.mechanisms, x.entry, x.presents, x.to, x.findings);
}
template <class A>
void serialize(A& a, Course& x) {
  a(x.id, x.name, x.describes, x.file, x.fills_canal, x.stages, x.line);
}
template <class A>
void serialize(A& a, Condition& x) {
  a(x.kind, x.of, x.count, x.id, x.finding, x.names, x.low, x.high, x.line);
}
template <class A>
void serialize(A& a, RuleTest& x) {
  a(x.name, x.person_json, x.expect, x.line);
}
template <class A>
void serialize(A& a, Rule& x) {
  a(x.id, x.name, x.profile, x.applies, x.recommendation, x.date_checked, x.urgency, x.action_clinician, x.action_person, x.file, x.cite,
    x.within_hours, x.when, x.needs, x.tests);
}
template <class A>
void serialize(A& a, Threshold& x) {
  a(x.id, x.name, x.quantity, x.urgency, x.recommendation, x.at_least, x.cite);
}
template <class A>
void serialize(A& a, Comparator& x) {
  a(x.id, x.name, x.country, x.cite, x.lists);
}
template <class A>
void serialize(A& a, ScoreOption& x) {
  a(x.id, x.name, x.grade, x.points, x.levels);
}
template <class A>
void serialize(A& a, ScoreItem& x) {
  a(x.id, x.name, x.explain, x.options);
}
template <class A>
void serialize(A& a, ScoreBand& x) {
  a(x.min, x.max, x.grades, x.label, x.action);
}
template <class A>
void serialize(A& a, Score& x) {
  a(x.id, x.name, x.describes, x.applies_to, x.aggregation, x.cite, x.items, x.interpretation, x.notes);
}
template <class A>
void serialize(A& a, SafetyNet& x) {
  a(x.clinician, x.person, x.emergency_numbers, x.intended_use, x.not_excluded);
}
template <class A>
void serialize(A& a, Meaning& x) {
  a(x.answers, x.any);
}
template <class A>
void serialize(A& a, Vocabulary& x) {
  a(x.settings, x.locations, x.primaries, x.panels, x.lab_names, x.noted, x.ignored_keys);
}
template <class A>
void serialize(A& a, Fitted& x) {
  a(x.unfitted, x.parameters, x.mean, x.sd);
  auto draws = x.draws.size();
  int per_unit = 0;
  if constexpr (std::is_same_v<A, Packer>) per_unit = a.per_unit;
  a(draws, per_unit);
  x.draws.resize(draws);
  for (std::vector<float>& row : x.draws) row.resize(x.parameters.size());
  for (std::size_t i = 0; i < x.parameters.size(); ++i)  // what differs little stands together
    for (std::size_t d = 0; d < x.draws.size(); ++d) {
      if constexpr (std::is_same_v<A, Packer>) a.drawn(x.draws[d][i], d, i);
      else x.draws[d][i] = a.drawn(per_unit);
    }
  if constexpr (!std::is_same_v<A, Packer>) x.from_noise = per_unit == kTenths;
}
template <class A>
void serialize(A& a, Knowledge& x) {
  a(x.sources, x.mechanisms, x.anatomy, x.population, x.recording, x.findings, x.causes, x.courses, x.definitions, x.rules, x.thresholds,
    x.comparators, x.scores, x.safety_net, x.vocabulary, x.fitted, x.texts);
}

std::string pack_knowledge(const Knowledge& knowledge) {
  Packer archive(false /* for_page */);
  archive(knowledge);
  return archive.done();
}

std::string pack_for_page(Knowledge knowledge) {
  knowledge.texts.clear();
  knowledge.recording.clear();
  knowledge.scores.clear();
  for (Rule& rule : knowledge.rules) rule.tests.clear();
  Packer archive(true /* for_page */);
  archive(knowledge);
  return archive.done();
}

Knowledge unpack_knowledge(const char* data, std::size_t size) {
  Unpacker archive(data, size);
  Knowledge out;
  archive(out);
  return out;
}

}  // namespace dorsalgia
