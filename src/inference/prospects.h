// The tables of the exact engine with alike rows joined, for weighing every finding at once. Private to this folder.
#pragma once

#include <array>
#include <vector>

#include "inference/tables.h"

namespace dorsalgia {

struct ProspectTables {
  explicit ProspectTables(const ExactEngine::Tables& tables);

  const ExactEngine::Tables& t;

  // Numbers that are summed side by side stand in so many at a time, with noughts after the last.
  static constexpr int kAtOnce = 8;
  static constexpr int filled_up(int count) { return (count + kAtOnce - 1) / kAtOnce * kAtOnce; }

  // Of findings without a place. A kind: the signatures of one class whose course, stage and set of mechanisms are the same; a row: the
  // kinds of one class whose set is the same. Both in the order of classes, rows of each filled up.
  struct Run {
    int cause, klass;
    Eigen::Index first, count;  // signatures
  };
  std::vector<Run> runs;         // signatures of one class and cause
  std::vector<int> kind_of;      // by signature
  std::vector<int> row_of_kind;  // by kind
  std::array<int, kClasses + 1> row_begin{};
  Eigen::MatrixXd at_most;  // [row, column]: Tables::at_most as far as mechanisms bring the finding
  struct StageBrings {
    int kind;
    double by;  // what is to be added where the stage brings it as well
  };
  struct CauseBrings {
    Eigen::Index first, count;  // signatures, filled up
    Eigen::Index by;            // what is to be added where the cause brings it as well: from here on in `by_cause`
  };
  std::vector<StageBrings> stages;
  std::vector<CauseBrings> causes;
  std::vector<double> by_cause;
  std::vector<std::size_t> first_stages, first_causes;  // by kClasses * column + class; last entry: all

  // A measured finding: as discrete ones, with distributions in place of numbers.
  struct Measured {
    struct Bell {
      double shift, per_sd;  // per_sd: 1 / (sd sqrt 2), as erfc has it
    };
    struct CauseShifts {
      int signature, bell, instead_of;
    };
    std::vector<Bell> bells;
    std::vector<int> bell_of_row;
    std::vector<CauseShifts> causes;  // in the order of classes
    std::array<std::size_t, kClasses + 1> first_cause{};
  };
  std::vector<Measured> measured;  // by finding

  // A spot: a place as a pattern of neural mechanisms sees it, in the order of classes.
  struct Spot {
    Eigen::Index place;
    int pattern;
  };
  std::vector<Spot> spots;
  std::array<Eigen::Index, kClasses + 1> spot_begin{};
  Eigen::MatrixXd at_spot;                 // [spot, place finding]: Tables::place_at_most
  std::vector<Eigen::Index> place_column;  // by finding; -1: not about a place

  std::vector<MechanismSet> set_of_row;  // 0 where rows are filled up
  struct Linked {
    int cause;
    const ModelContextLink* link;
  };
  std::vector<std::vector<Linked>> linked;  // by finding about context: causes that have their own share of it

 private:
  void join_rows();
  void join_column(const ModelFinding& f, int grade, Eigen::Index column, const std::vector<int>& signature_of_kind);
  Measured join_measured(const ModelFinding& f, const LinkClasses& classes) const;
  void join_spots();
};

}  // namespace dorsalgia
