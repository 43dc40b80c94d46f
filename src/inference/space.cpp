#include "inference/space.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace dorsalgia {

using Eigen::Index;

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();
}  // namespace

Space::Space(const Model& model) : m(&model) {
  build_places();
  build_chains();
  build_cells();
}

void Space::build_chains() {
  stage_offset.push_back(0);
  std::map<std::tuple<int, double, int>, int> known;
  for (std::size_t c = 0; c < m->causes.size(); ++c) {
    const ModelCause& cause = m->causes[c];
    const ModelCourse& course = m->courses[cause.course];
    std::array<bool, kCanals> met{};
    for (int canal = 0; canal < kCanals; ++canal) {
      const int pace = course.pace(static_cast<Canal>(canal));
      const auto part = level_share.col(static_cast<Index>(c)).segment(canal_begin[canal], canal_begin[canal + 1] - canal_begin[canal]);
      if (met[pace] || part.sum() <= 0) continue;
      met[pace] = true;
      const auto [it, fresh] = known.emplace(std::make_tuple(cause.course, cause.tempo, pace), static_cast<int>(chains.size()));
      if (fresh) chains.emplace_back(course, cause.tempo, static_cast<Canal>(canal));
      strands.push_back({static_cast<int>(c), pace, it->second, static_cast<int>(ever.size())});
      ever.resize(ever.size() + course.stages.size());
      chains[it->second].within(0, kInfinity, ever.data() + strands.back().first);
    }
    stage_offset.push_back(static_cast<int>(ever.size()));
  }
}

const Strand& Space::strand(int cause, Canal canal) const {
  const int pace = m->courses[m->causes[cause].course].pace(canal);
  return *std::find_if(strands.begin(), strands.end(), [&](const Strand& s) { return s.cause == cause && s.pace == pace; });
}

void Space::build_places() {
  for (int canal = 0; canal < kCanals; ++canal) {
    for (std::size_t l = 0; l < m->levels.size(); ++l)
      if (static_cast<int>(m->levels[l].canal) == canal) level_at.push_back(static_cast<int>(l));
    canal_begin[canal + 1] = static_cast<Index>(level_at.size());
  }
  place_of.resize(level_at.size());
  for (std::size_t i = 0; i < level_at.size(); ++i) {
    place_of[level_at[i]] = static_cast<int>(i);
    if (m->levels[level_at[i]].id == "not_spinal") outside = static_cast<int>(i);
  }
  level_share = Eigen::MatrixXd::Zero(places(), static_cast<Index>(m->causes.size()));
  for (std::size_t c = 0; c < m->causes.size(); ++c)
    for (std::size_t l = 0; l < m->levels.size(); ++l)
      if (m->causes[c].levels[l] > 0) level_share(place_of[l], static_cast<Index>(c)) = m->causes[c].levels[l];
}

void Space::build_cells() {
  MechanismSet placed = 0;  // mechanisms that some place finding knows
  for (const ModelFinding& f : m->findings)
    if (f.place_segment >= 0)
      for (const Link& link : f.links) placed |= MechanismSet{1} << link.index;
  // Cord compression is asked about by the sensory level whether or not a place finding is.
  if (m->cord_compression >= 0) placed |= MechanismSet{1} << m->cord_compression;

  // Keyed so that signatures come out sorted by class.
  std::map<std::tuple<int, int, int, int, MechanismSet>, std::vector<std::pair<Cell, Forecast>>> by_signature;
  std::map<std::array<int, 4>, int> group_index;
  Forecasts forecasts;
  auto index_of = [](std::vector<MechanismSet>& all, MechanismSet set) {
    auto at = std::find(all.begin(), all.end(), set);
    if (at == all.end()) at = all.insert(all.end(), set);
    return static_cast<int>(at - all.begin());
  };
  for (std::size_t c = 0; c < m->causes.size(); ++c) {
    const ModelCause& cause = m->causes[c];
    const ModelCourse& course = m->courses[cause.course];
    const int index = static_cast<int>(c);
    std::array<double, kCanals> mass{};
    for (int canal = 0; canal < kCanals; ++canal) {
      auto part = level_share.col(index).segment(canal_begin[canal], canal_begin[canal + 1] - canal_begin[canal]);
      mass[canal] = part.sum();
      if (mass[canal] > 0) part /= mass[canal];
    }
    for (int canal = 0; canal < kCanals; ++canal) {
      if (mass[canal] <= 0) continue;
      const Strand& its = strand(index, static_cast<Canal>(canal));
      const std::vector<Forecast>& compression = forecast(its, static_cast<Canal>(canal), forecasts);
      for (int variant = 0; variant < 2; ++variant) {
        const double share = variant == 0 ? 1 - cause.accompanied : cause.accompanied;
        if (share <= 0) continue;
        for (std::size_t k = 0; k < course.stages.size(); ++k) {
          MechanismSet set = course.stages[k].mechanisms;
          if (variant == 1) set |= MechanismSet{1} << cause.accompaniment;
          const MechanismSet active = m->real(set, static_cast<Canal>(canal));
          const int klass = 2 * m->is_tumour(index) + m->is_emergency(index, active);
          const PlaceGroup group{index, canal, index_of(patterns, active & placed), klass};
          const auto [it, fresh] =
              group_index.emplace(std::array<int, 4>{group.cause, group.canal, group.pattern, klass}, static_cast<int>(groups.size()));
          if (fresh) groups.push_back(group);
          by_signature[{klass, index, its.first, static_cast<int>(k), active}].push_back(
              {{-1, it->second, share * mass[canal]}, compression[k]});
        }
      }
    }
  }
  std::vector<double> shares;
  for (auto& [key, its_cells] : by_signature) {
    const auto [klass, cause, first, stage, active] = key;
    Forecast compression{};
    double share = 0;
    for (auto& [cell, ahead] : its_cells) {
      cell.signature = static_cast<int>(signatures.size());
      share += cell.share;
      for (std::size_t w = 0; w < compression.size(); ++w) compression[w] += cell.share * ahead[w];
      if (ahead.back() > 0) compressible.emplace_back(static_cast<int>(cells.size()), ahead);
      cells.push_back(cell);
    }
    for (double& p : compression) p /= share;
    signatures.push_back({cause, stage, active, klass});
    cause_of.push_back(cause);
    stage_of.push_back(first + stage);
    set_of.push_back(index_of(sets, active));
    shares.push_back(share);
    compression_of.push_back(compression);
    for (int k = klass + 1; k <= kClasses; ++k) class_begin[k] = static_cast<int>(signatures.size());
  }
  share_of = Eigen::Map<const Eigen::ArrayXd>(shares.data(), n());
}

// By stage: P(cord or cauda compressed now or within so many weeks), left to itself.
const std::vector<Forecast>& Space::forecast(const Strand& strand, Canal canal, Forecasts& known) const {
  std::vector<bool> target;
  for (const ModelStage& s : m->courses[m->causes[strand.cause].course].stages) {
    const MechanismSet real = m->real(s.mechanisms, canal);
    const auto has = [&](int mechanism) { return mechanism >= 0 && (real >> mechanism & 1) != 0; };
    target.push_back(has(m->cord_compression) || has(m->cauda_equina_compression));
  }
  const auto [it, fresh] = known.try_emplace({strand.chain, target}, target.size(), Forecast{});
  if (!fresh || std::find(target.begin(), target.end(), true) == target.end()) return it->second;
  for (std::size_t w = 0; w < kForecastWeeks.size(); ++w) {
    const Eigen::VectorXd p = chains[strand.chain].reaches(target, kForecastWeeks[w]);
    for (std::size_t k = 0; k < target.size(); ++k) it->second[k][w] = p[static_cast<Eigen::Index>(k)];
  }
  return it->second;
}

}  // namespace dorsalgia
